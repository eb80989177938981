import { type DurableClient, OrchestrationRuntimeStatus } from 'durable-functions';
import type { CloudEvent } from '../shared/model/cloud-event.ts';
import { Terminal } from '../shared/model/errors.ts';
import { mirroredImages } from '../shared/registry/sources/mirrored-images.ts';
import { answer, type Start } from '../shared/workloads/answer.ts';
import type { ImageResolver } from '../shared/workloads/image-resolver.ts';
import { answerOutsidePush, isOutsidePush } from './outside-pushes.ts';
import type { Services } from './services.ts';

export interface AcceptedEvent {
  readonly status: 'stored' | 'duplicate';
  readonly hash: string;
  readonly instanceIds: readonly string[];
}

/**
 * An event is stored, and what answers it is started; the event may be acknowledged when this returns. A crash after
 * storing is made good by the sweep (timers/sweep-events.ts), which finds the event still marked as not answered.
 */
export async function acceptEvent(
  made: Services,
  client: DurableClient,
  event: CloudEvent,
): Promise<AcceptedEvent> {
  const { status, hash } = await made.events.append(event);
  if (status === 'duplicate' && !(await made.events.isPending(event, hash)))
    return { status, hash, instanceIds: [] };
  return { status, hash, instanceIds: await answerEvent(made, client, event, hash) };
}

/**
 * Starts what answers a stored event, then takes its mark away. Doing it again starts nothing twice. An event that is
 * refused for good is not kept: whoever sent it may send it again once what it asks for exists.
 * @throws Terminal what the event asks for cannot be
 */
export async function answerEvent(
  made: Services,
  client: DurableClient,
  event: CloudEvent,
  hash: string,
): Promise<readonly string[]> {
  const starts = await startsFor(made, client, event, hash).catch(async (error: unknown) => {
    if (error instanceof Terminal) await made.events.withdraw(event, hash);
    throw error;
  });
  for (const start of starts) await startOnce(client, start);
  await made.events.answered(event, hash);
  return starts.map(({ instanceId }) => instanceId);
}

function startsFor(
  made: Services,
  client: DurableClient,
  event: CloudEvent,
  hash: string,
): Promise<readonly Start[]> {
  if (isOutsidePush(event)) return answerOutsidePush(made, event, hash);
  return answer(event, hash, {
    stores: made.stores,
    images: imagesOf(made),
    trust: made.trust,
    isLive: (instanceId) => isLive(client, instanceId),
    now: made.now(),
  });
}

/** Copies of other registries are asked for; that a tag moved is heard of by the sweep, as of every push that a crash left. */
const imagesOf = ({ images, mirror, registry }: Services): ImageResolver =>
  mirroredImages(images, mirror, {
    ...registry,
    onActivity: () => Promise.reject(new Error('left to the sweep')),
    report: () => {},
  });

/** An instance that is going already refuses a second start: then the event was answered before. */
async function startOnce(client: DurableClient, { orchestrator, instanceId, input }: Start): Promise<void> {
  try {
    await client.startNew(orchestrator, { instanceId, input });
  } catch (error) {
    const found = await client.getStatus(instanceId).catch(() => undefined);
    if (found === undefined) throw error;
  }
}

/** Whether an orchestration is pending, running or suspended. */
async function isLive(client: DurableClient, instanceId: string): Promise<boolean> {
  const found = await client.getStatus(instanceId).catch(() => undefined);
  return found !== undefined && LIVE.has(found.runtimeStatus);
}

const LIVE: ReadonlySet<string> = new Set([
  OrchestrationRuntimeStatus.Pending,
  OrchestrationRuntimeStatus.Running,
  OrchestrationRuntimeStatus.Suspended,
]);
