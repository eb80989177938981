import type { OrchestrationContext, Task } from 'durable-functions';
import {
  copyBlob,
  copyManifest,
  type Imported,
  type ImportOrder,
  type ImportProgress,
  importImage,
  planImport,
} from '../../shared/model/image-import.ts';
import type { Outcome, Refused } from '../../shared/model/signature.ts';
import { activityTask, callActivity, orchestration, type Retries } from './call-activity.ts';

/** Blobs that are brought side by side. */
const WIDTH = 4;
/** About ten minutes: a registry that limits us says so for a minute or more. */
const PATIENT: Retries = { first: 1_000, attempts: 15, longest: 60_000 };

/** Brings an image of another registry: first what manifests name, then the manifests, the tag last. */
export function* bring(
  context: OrchestrationContext,
  order: ImportOrder,
): Generator<Task, Imported, unknown> {
  const { from, to, actor } = order;
  const planned = yield* callActivity(context, planImport, order, PATIENT);
  if (planned.outcome === 'refused') return failed(planned);
  const { blobs, manifests, digest } = planned.value;

  const progress = { blobs: 0, bytes: 0, fetched: 0 };
  const all = blobs.reduce((sum, { size }) => sum + size, 0);
  const tell = (doing: string): void =>
    context.df.setCustomStatus({
      doing,
      blobs: { done: progress.blobs, all: blobs.length },
      bytes: { done: progress.bytes, all, fetched: progress.fetched },
    } satisfies ImportProgress);
  tell('content');
  for (let at = 0; at < blobs.length; at += WIDTH) {
    const some = blobs.slice(at, at + WIDTH);
    const tasks = some.map((blob) =>
      activityTask(context, copyBlob, { from, to: to.repository, digest: blob.digest }, PATIENT),
    );
    let outcomes: readonly Outcome<number>[];
    try {
      outcomes = (yield context.df.Task.all(tasks)) as readonly Outcome<number>[];
    } catch (error) {
      return failed(exhausted(error));
    }
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.outcome === 'refused') return failed(outcome);
      progress.blobs += 1;
      progress.bytes += some[index]?.size ?? 0;
      progress.fetched += outcome.value;
    }
    tell('content');
  }
  tell('manifests');
  for (const manifest of manifests) {
    const copied = yield* callActivity(
      context,
      copyManifest,
      { from, to: to.repository, ...manifest, actor },
      PATIENT,
    );
    if (copied.outcome === 'refused') return failed(copied);
  }
  tell('done');
  return { state: 'done', digest, fetched: progress.fetched };
}

const failed = ({ code, message, remedy }: Omit<Refused, 'outcome'>): Imported => ({
  state: 'failed',
  code,
  reason: code === 'activity-failed' ? reasonIn(message) : message,
  remedy,
});

const exhausted = (error: unknown): Omit<Refused, 'outcome'> => ({
  code: 'activity-failed',
  message: error instanceof Error ? error.message : String(error),
  remedy: 'Import it again: what has arrived is not fetched again.',
});

/** The host puts the activity's name before the reason, and behind it the places in our code where it was thrown. */
const reasonIn = (text: string): string =>
  text
    .replace(/^([\w-]+: )?Activity function '[^']*' failed:\s*/, '')
    .split('\n')[0]
    ?.trim() || text;

orchestration(importImage, bring);
