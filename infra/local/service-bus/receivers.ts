import type { Sender } from 'rhea';
import { faultOf, Refused } from './amqp.ts';
import type { Broker } from './broker.ts';
import { type Consumer, consumer } from './consumer.ts';
import { type Entity, pathOf, sessionful } from './queue.ts';
import type { QueueStore } from './queue-store.ts';
import {
  type AskedSession,
  attachToSession,
  attachWithoutSession,
  postponeAttach,
  sessionAsked,
} from './session-link.ts';
import type { HeldSession } from './sessions.ts';

/** The links by which one connection receives, and the sessions that they hold. */
export interface Receivers {
  /** @throws Refused where a session is asked for and there are none, or the other way round */
  open(link: Sender, entity: Entity): void;
  /** @throws Refused `session-lock-lost` if none of them holds it */
  holding(entity: Entity, sessionId: string): HeldSession;
  /** All of them end. */
  close(): void;
}

export function receivers(store: QueueStore, broker: Broker): Receivers {
  /** What ends each link's claim to messages. */
  const ends = new Map<Sender, () => void>();
  const held = new Map<Sender, { path: string; session: HeldSession }>();

  const ended = (link: Sender): void => {
    const end = ends.get(link);
    ends.delete(link);
    held.delete(link);
    end?.();
  };
  const consume = (link: Sender, entity: Entity, session?: HeldSession): Consumer => {
    const { queue } = entity;
    const made = consumer(link, entity, store, () => broker.pump(queue), session);
    broker.add(made);
    if (session !== undefined) held.set(link, { path: pathOf(entity), session });
    ends.set(link, () => {
      broker.remove(made);
      if (session === undefined) return;
      store.releaseSession(queue, session);
      broker.pump(queue);
    });
    link.on('sender_flow', () => {
      broker.pump(queue);
      made.endDrain();
    });
    return made;
  };
  const refuse = (link: Sender, error: unknown): void => {
    attachWithoutSession(link);
    link.close(faultOf(error));
  };

  const acceptOne = (link: Sender, entity: Entity, id: string): void => {
    try {
      store.passTime(entity.queue);
      const session = store.acceptSession(entity.queue, id);
      attachToSession(link, session);
      consume(link, entity, session);
    } catch (error) {
      refuse(link, error);
    }
  };
  /** Waits in the row of those who want any session. */
  const acceptNext = (link: Sender, entity: Entity, wait: number): void => {
    const { queue } = entity;
    const waiter = {
      entity,
      offer(): boolean {
        const session = store.acceptNextSession(queue);
        if (session === undefined) return false;
        stop();
        attachToSession(link, session);
        consume(link, entity, session);
        return true;
      },
    };
    const timer = setTimeout(() => {
      ended(link);
      refuse(
        link,
        new Refused(
          408,
          'com.microsoft:timeout',
          `The operation did not complete within the allotted timeout of ${wait} ms: no session of '${queue.name}' with messages is free.`,
        ),
      );
    }, wait).unref();
    const stop = (): void => {
      clearTimeout(timer);
      broker.stopWaiting(waiter);
    };
    ends.set(link, stop);
    broker.wait(waiter);
    broker.pump(queue);
  };
  const openSession = (link: Sender, entity: Entity, { id, wait }: AskedSession): void => {
    postponeAttach(link);
    if (id === undefined) acceptNext(link, entity, wait);
    else acceptOne(link, entity, id);
  };

  return {
    open(link, entity) {
      const asked = sessionAsked(link);
      link.once('sender_close', () => ended(link));
      if (asked === undefined && sessionful(entity))
        throw new Refused(
          400,
          'amqp:not-allowed',
          `'${pathOf(entity)}' requires sessions: it cannot be received from without accepting one.`,
        );
      if (asked === undefined) {
        consume(link, entity);
        return;
      }
      if (!sessionful(entity)) {
        postponeAttach(link);
        refuse(
          link,
          new Refused(
            400,
            'amqp:not-allowed',
            `'${pathOf(entity)}' requires no sessions: none can be accepted.`,
          ),
        );
        return;
      }
      openSession(link, entity, asked);
    },
    holding(entity, sessionId) {
      for (const { path, session } of held.values())
        if (path === pathOf(entity) && session.id === sessionId) return session;
      throw new Refused(
        410,
        'com.microsoft:session-lock-lost',
        `The session '${sessionId}' of '${pathOf(entity)}' is not locked by this connection.`,
      );
    },
    close() {
      for (const link of [...ends.keys()]) ended(link);
    },
  };
}
