import { z } from 'zod';
import type { CloudEvent } from '../model/cloud-event.ts';
import { Command } from '../model/command.ts';
import { Digest, RepositoryName, Tag } from '../model/image.ts';
import { Invalid } from '../model/invalid.ts';
import { JobKey } from '../model/job.ts';
import { plainIssues } from '../model/plain-issues.ts';
import { ServiceKey } from '../model/service.ts';
import { answerControl } from './answer-control.ts';
import { answerDeploy } from './answer-deploy.ts';
import { answerPush, reconsider } from './answer-push.ts';
import { answerRepair } from './answer-repair.ts';
import { answerRun } from './answer-run.ts';
import { answerRestart, answerScale } from './answer-scale.ts';
import { answerServiceRun } from './answer-service-run.ts';
import { answerUndo } from './answer-undo.ts';
import { answerUnhealthy } from './answer-unhealthy.ts';
import type { ImageResolver } from './image-resolver.ts';
import type { ImageTrust } from './image-trust.ts';
import type { Stores } from './stores.ts';

/** An orchestration to start. */
export interface Start {
  readonly orchestrator: string;
  readonly instanceId: string;
  readonly input: unknown;
}

/** What answering needs. */
export interface Answering {
  readonly stores: Stores;
  readonly images: ImageResolver;
  readonly trust: ImageTrust;
  /** Whether an orchestration is pending or running. */
  isLive(instanceId: string): Promise<boolean>;
  readonly now: Date;
}

/** The event that is being answered. */
export interface Cause {
  /** `<source> <id>`. */
  readonly text: string;
  /** When it came to be; RFC 3339. */
  readonly at: string;
  /** `ev-<hash>`: id of its first orchestration, and beginning of the others'. */
  readonly instanceId: string;
}

/** Event types of this app. */
export const eventTypes = {
  push: 'dev.berth.registry.push',
  command: 'dev.berth.command',
  scheduleDue: 'dev.berth.schedule.due',
  replicaDied: 'dev.berth.replica.died',
  replicaUnhealthy: 'dev.berth.replica.unhealthy',
  sweep: 'dev.berth.sweep',
  trustChanged: 'dev.berth.trust.changed',
} as const;

const Push = z.object({
  repository: RepositoryName,
  tag: Tag.optional(),
  digest: Digest,
  subject: Digest.optional(),
});
const Due = z.object({ key: JobKey, due: z.iso.datetime({ offset: true }) });
const Died = z.object({ key: ServiceKey, container: z.string() });
const Unhealthy = z.object({ key: ServiceKey, container: z.string(), reason: z.string(), dead: z.boolean() });
const Sweep = z.object({ key: ServiceKey });
const TrustChanged = z.object({ repository: RepositoryName, digest: Digest });

/**
 * The orchestrations that answer a stored event, after what it asks for was recorded. Answering it again gives the same
 * ones while they are going, and none once they ended: it never does anything twice.
 * @param hash 40 hex digits of the event's identity
 * @throws Terminal what the event asks for does not exist; Invalid if its data is malformed
 */
export async function answer(
  event: CloudEvent,
  hash: string,
  answering: Answering,
): Promise<readonly Start[]> {
  const cause: Cause = { text: `${event.source} ${event.id}`, at: event.time, instanceId: `ev-${hash}` };
  switch (event.type) {
    case eventTypes.push:
      return await answerPush(answering, cause, dataOf(event, Push));
    case eventTypes.command:
      return await answerCommand(answering, cause, dataOf(event, Command));
    case eventTypes.scheduleDue:
      return await answerRun(answering, cause, dataOf(event, Due).key, { scheduled: true });
    case eventTypes.replicaDied:
      return await answerRepair(answering, cause, dataOf(event, Died));
    case eventTypes.replicaUnhealthy:
      return await answerUnhealthy(answering, cause, dataOf(event, Unhealthy));
    case eventTypes.sweep:
      return await answerRepair(answering, cause, dataOf(event, Sweep));
    case eventTypes.trustChanged:
      return await reconsider(answering, cause, dataOf(event, TrustChanged));
    default:
      return [];
  }
}

async function answerCommand(
  answering: Answering,
  cause: Cause,
  command: Command,
): Promise<readonly Start[]> {
  switch (command.type) {
    case 'deploy':
      return await answerDeploy(answering, cause, command.environment, command.application, command.pins);
    case 'scale':
      return await answerScale(answering, cause, command);
    case 'restart':
      return await answerRestart(answering, cause, command);
    case 'pause-rollout':
    case 'resume-rollout':
    case 'abort-rollout':
      return await answerControl(answering, cause, command);
    case 'undo-rollout':
      return await answerUndo(answering, cause, command);
    case 'run-service':
      return await answerServiceRun(answering, cause, command);
    case 'run-job':
      return await answerRun(answering, cause, command, { scheduled: false });
  }
}

function dataOf<T>(event: CloudEvent, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(event.data);
  if (parsed.success) return parsed.data;
  throw new Invalid({
    code: 'event-data-invalid',
    message: `The data of event ${event.source} ${event.id} is not that of a ${event.type}.`,
    remedy: 'Send it again with the data that docs/architecture.md names for its type.',
    issues: plainIssues(parsed.error.issues),
  });
}
