import { setTimeout as wait } from 'node:timers/promises';
import { Conflict } from '../../../../shared/state/tables.ts';
import type { Invoke } from '../core/invoke.ts';
import { returnedValue } from '../core/wire.ts';
import type { HostLog } from '../log.ts';
import { type Batch, type Incoming, nextBatch, owed } from './entity-batch.ts';
import { BatchResult, EntityRequest, Release } from './entity-request.ts';
import type { EntityState, EntityStore, StoredEntity } from './entity-store.ts';
import type { DurableFunctions } from './functions.ts';
import type { Dispatch, EntityMessage } from './instance.ts';
import { mailboxes } from './mailboxes.ts';
import { slots } from './slots.ts';
import type { Work } from './work.ts';

export interface EntityPost {
  /** Of messages that may come again; those of clients come once. */
  readonly id: string | undefined;
  readonly message: EntityMessage;
  readonly settle: () => void;
  readonly fail?: (error: unknown) => void;
}

export interface Entities {
  post(entity: string, post: EntityPost): void;
  forgetReceipt(entity: string, message: string): Promise<void>;
  idle(): Promise<void>;
}

export interface EntityParts {
  readonly store: EntityStore;
  readonly functions: DurableFunctions;
  readonly invoke: Invoke;
  readonly work: Work;
  readonly dispatch: Dispatch;
  readonly log: HostLog;
  readonly concurrency: number;
}

/** More would not fit into one batch's transaction. */
const mostMessages = 20;
const mostOwed = 75;
const mostRemembered = 1_000;
/** Milliseconds. */
const pauseAfterFailure = 500;

/** Runs entities batch by batch: state, answers, signals and receipts of a batch are one transaction. */
export function entities(parts: EntityParts): Entities {
  const { store, work, dispatch, log } = parts;
  const remembered = new Map<string, StoredEntity>();
  const slot = slots(parts.concurrency);

  const batch = async (id: string, posts: readonly EntityPost[]): Promise<void> => {
    const stored = remembered.get(id) ?? (await store.load(id));
    const fresh = posts.filter((post) => post.id === undefined || !stored.receipts.has(post.id));
    if (fresh.length > 0) {
      const next = nextBatch(
        stored.value,
        fresh.map(({ message }) => incomingOf(message)),
      );
      const result =
        next.operations.length === 0 ? nothing(stored.value) : await run(parts, id, stored.value, next);
      const promised = owed(next, result);
      const value: EntityState = {
        exists: result.entityExists,
        state: result.entityState ?? null,
        lockedBy: next.lockedBy,
        queue: next.queue,
        updatedAt: new Date().toISOString(),
      };
      const receipts = fresh.flatMap((post) => (post.id === undefined ? [] : [post.id]));
      for (const row of promised.keys()) work.begin(id, row);
      try {
        const etag = await store.commit(id, value, stored.etag, receipts, promised);
        if (remembered.size >= mostRemembered) remembered.clear();
        remembered.set(id, { value, etag, receipts: new Set([...stored.receipts, ...receipts]) });
      } catch (error) {
        for (const row of promised.keys()) work.end(id, row);
        throw error;
      }
      for (const [row, obligation] of promised) dispatch(id, row, obligation);
    }
    for (const post of posts) post.settle();
  };

  const take = async (id: string, posts: readonly EntityPost[]): Promise<readonly EntityPost[]> => {
    const now = posts.slice(0, mostMessages);
    const later = posts.slice(mostMessages);
    for (;;) {
      try {
        await slot(() => batch(id, now));
        return later;
      } catch (error) {
        remembered.delete(id);
        if (error instanceof Conflict) continue;
        log.failure(`entity ${id}`, error);
        for (const post of now) post.fail?.(error);
        await wait(pauseAfterFailure, undefined, { ref: false });
        return [...now.filter((post) => post.fail === undefined), ...later];
      }
    }
  };
  const boxes = mailboxes(take);
  return {
    post: boxes.post,
    idle: boxes.idle,
    async forgetReceipt(entity, message) {
      await store.forgetReceipt(entity, message);
      const known = remembered.get(entity);
      if (known === undefined) return;
      const receipts = new Set(known.receipts);
      receipts.delete(message);
      remembered.set(entity, { ...known, receipts });
    },
  };
}

const incomingOf = ({ name, input }: EntityMessage): Incoming =>
  name === 'release'
    ? { kind: 'release', parent: Release.parse(JSON.parse(input)).parent }
    : { kind: 'request', request: EntityRequest.parse(JSON.parse(input)) };

const nothing = ({ exists, state }: EntityState): BatchResult => ({
  entityExists: exists,
  entityState: state,
  results: [],
  signals: [],
});

/** A batch whose function cannot run, or that owes too much for one transaction, fails as a whole and changes nothing. */
async function run(parts: EntityParts, id: string, before: EntityState, batch: Batch): Promise<BatchResult> {
  const { name, key } = partsOf(id);
  try {
    const found = parts.functions.entity(name);
    if (found === undefined) throw new Error(`there is no entity function '${name}'`);
    const binding = JSON.stringify({
      self: { name, key },
      exists: before.exists,
      state: before.state,
      batch: batch.operations.map(({ op, input, signal }) => ({
        name: op,
        input: input ?? null,
        isSignal: signal,
      })),
    });
    const response = await parts.invoke(found.name, {
      inputs: [{ name: found.trigger, data: { string: binding } }],
    });
    const result = BatchResult.parse(returnedValue(response.returnValue));
    if (batch.operations.length + result.signals.length <= mostOwed) return result;
    throw new Error(`one batch sent ${result.signals.length} signals, at most ${mostOwed} fit`);
  } catch (error) {
    parts.log.failure(`entity ${id}`, error);
    const text = JSON.stringify(error instanceof Error ? error.message : String(error));
    return { ...nothing(before), results: batch.operations.map(() => ({ isError: true, result: text })) };
  }
}

/** `@name@key`. */
export function partsOf(id: string): { name: string; key: string } {
  const at = id.indexOf('@', 1);
  return { name: id.slice(1, at), key: id.slice(at + 1) };
}
