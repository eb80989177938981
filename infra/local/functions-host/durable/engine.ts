import { setTimeout as wait } from 'node:timers/promises';
import { Conflict } from '../../../../shared/state/tables.ts';
import type { HostLog } from '../log.ts';
import type { TurnOptions } from './decision.ts';
import { type Dispatch, finished, type Instance } from './instance.ts';
import type { InstanceStore } from './instance-store.ts';
import { type Mailboxes, mailboxes } from './mailboxes.ts';
import type { Message } from './message.ts';
import { slots } from './slots.ts';
import { takeTurn } from './turn.ts';
import type { Work } from './work.ts';

export interface Engine {
  post(instanceId: string, message: Message): void;
  /** An obligation is done outside of a turn. */
  fulfilled(instanceId: string, row: string): Promise<void>;
  forget(instanceId: string): void;
  idle(): Promise<void>;
}

export interface EngineParts {
  readonly store: InstanceStore;
  readonly work: Work;
  readonly log: HostLog;
  readonly turns: TurnOptions;
  readonly concurrency: number;
  /** Begins with what a turn has promised. */
  readonly dispatch: Dispatch;
}

/** More would not fit into one turn's transaction. */
const mostMessages = 30;
const mostRemembered = 5_000;
/** Milliseconds. */
const pauseAfterFailure = 500;

/**
 * Runs orchestrations turn by turn. What it remembers of an instance is used only together with its ETag: if another host was
 * faster, the commit fails, and the turn is taken again on what the table has.
 */
export function engine({ store, work, log, turns, concurrency, dispatch }: EngineParts): Engine {
  const remembered = new Map<string, Instance>();
  const slot = slots(concurrency);

  const remember = (instance: Instance): void => {
    remembered.delete(instance.id);
    if (finished(instance.head.status)) return;
    remembered.set(instance.id, instance);
    const [oldest] = remembered.keys();
    if (remembered.size > mostRemembered && oldest !== undefined) remembered.delete(oldest);
  };

  /** A start under a new id needs no reading: the insert tells. */
  const known = async (
    id: string,
    messages: readonly Message[],
    fresh: boolean,
  ): Promise<Instance | undefined> =>
    remembered.get(id) ??
    (fresh && messages.every(({ start }) => start !== undefined) ? undefined : await store.load(id));

  const turn = async (id: string, messages: readonly Message[], fresh: boolean): Promise<void> => {
    const stored = await known(id, messages, fresh);
    const { change, next, leftover, outcomes } = await takeTurn(id, stored, messages, turns);
    if (change !== undefined && next !== undefined) {
      for (const row of change.promised.keys()) work.begin(id, row);
      let etag: string;
      try {
        etag = await store.commit(change);
      } catch (error) {
        for (const row of change.promised.keys()) work.end(id, row);
        throw error;
      }
      remember({ ...next, etag });
      for (const row of [...change.gone, ...leftover]) work.end(id, row);
      for (const [row, obligation] of change.promised) dispatch(id, row, obligation);
      if (leftover.length > 0)
        store.deleteRows(id, leftover).catch((error: unknown) => log.failure(`orchestration ${id}`, error));
    }
    for (const [message, outcome] of outcomes) message.settle(outcome);
  };

  const take = async (id: string, messages: readonly Message[]): Promise<readonly Message[]> => {
    const now = messages.slice(0, mostMessages);
    const later = messages.slice(mostMessages);
    for (let tries = 0; ; tries += 1) {
      try {
        await slot(() => turn(id, now, tries === 0));
        return later;
      } catch (error) {
        remembered.delete(id);
        if (error instanceof Conflict) continue;
        log.failure(`orchestration ${id}`, error);
        const durable = now.filter((message) => {
          message.fail?.(error);
          return message.fail === undefined;
        });
        await wait(pauseAfterFailure, undefined, { ref: false });
        return [...durable, ...later];
      }
    }
  };

  const boxes: Mailboxes<Message> = mailboxes(take);
  return {
    post: boxes.post,
    idle: boxes.idle,
    forget: (id) => void remembered.delete(id),
    async fulfilled(id, row) {
      const instance = remembered.get(id);
      if (instance !== undefined) {
        const obligations = new Map(instance.obligations);
        obligations.delete(row);
        remembered.set(id, { ...instance, obligations });
      }
      await store.deleteRows(id, [row]);
      work.end(id, row);
    },
  };
}
