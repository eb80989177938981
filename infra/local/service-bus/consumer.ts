import type { Delivery, EventContext, Sender } from 'rhea';
import { accepted, faultOf, rejected } from './amqp.ts';
import { deliveredBytes } from './delivered.ts';
import { tagOfToken, tokenOfTag } from './lock-token.ts';
import type { Entity } from './queue.ts';
import type { QueueStore } from './queue-store.ts';
import type { HeldSession } from './sessions.ts';
import type { Stored } from './stored-message.ts';

/** A link that receives from a queue or from one of its sessions. */
export interface Consumer {
  readonly entity: Entity;
  readonly session: HeldSession | undefined;
  /** How many messages it can be sent now. */
  room(): number;
  /** Takes up to so many from the store and sends them. @returns how many there were */
  feed(count: number): number;
  /** The peer asked for what is there now: after it, nothing comes until it asks again. */
  endDrain(): void;
  /** Closes the link, since its session's lock has expired. */
  lose(): void;
}

/** Parts of rhea's sender and session that count what is on its way. */
interface Window {
  _draining: boolean;
  _drained: boolean;
  _get_drain(): boolean;
  credit: number;
  delivery_count: number;
  local: { attach: { snd_settle_mode?: number } };
  session: { outgoing: { next_delivery_id: number; next_pending_delivery: number; available(): number } };
}

export function consumer(
  link: Sender,
  entity: Entity,
  store: QueueStore,
  changed: () => void,
  session?: HeldSession,
): Consumer {
  const window = link as unknown as Window;
  // Settled by the sender: receive-and-delete.
  const removes = link.snd_settle_mode === 1;
  if (removes) window.local.attach.snd_settle_mode = 1;

  // AMQP 1.0, section 2.6.7: credit that is left is used up. rhea would not answer a drain that found no credit left.
  window._get_drain = () => {
    if (!window._draining || !window._drained) return false;
    window.delivery_count += window.credit;
    window.credit = 0;
    return true;
  };

  const send = (message: Stored): void => {
    const tag = message.lockToken === undefined ? undefined : tagOfToken(message.lockToken);
    link.send(deliveredBytes(message), tag, 0);
  };
  const settle = (delivery: Delivery | undefined, outcome: (token: string) => void): void => {
    if (delivery === undefined) return;
    let state = accepted();
    try {
      outcome(tokenOfTag(delivery.tag));
    } catch (error) {
      state = rejected(faultOf(error));
    }
    delivery.update(true, state);
    // The peer settles with us and says no more; without this rhea would keep the delivery for ever.
    (delivery as { remote_settled: boolean }).remote_settled = true;
    changed();
  };

  if (!removes) {
    link.on('accepted', ({ delivery }: EventContext) =>
      settle(delivery, (token) => store.complete(entity, token)),
    );
    link.on('released', ({ delivery }: EventContext) =>
      settle(delivery, (token) => store.release(entity, token)),
    );
    link.on('rejected', (context: EventContext) =>
      settle(context.delivery, (token) =>
        store.deadLetter(entity, token, rejection(outcomeOf(context.delivery))),
      ),
    );
    link.on('modified', (context: EventContext) =>
      settle(context.delivery, (token) => {
        const { undeliverable_here: defers, message_annotations } = outcomeOf(context.delivery);
        const changes = { ...(message_annotations as object | undefined) };
        if (defers === true) store.defer(entity, token, changes);
        else store.abandon(entity, token, changes);
      }),
    );
  }

  return {
    entity,
    session,
    room() {
      const { outgoing } = window.session;
      const onTheirWay = outgoing.next_delivery_id - outgoing.next_pending_delivery;
      return link.is_open() ? Math.min(window.credit - onTheirWay, outgoing.available()) : 0;
    },
    feed(count) {
      const messages = removes ? store.take(entity, count, session) : store.lock(entity, count, session);
      for (const message of messages) send(message);
      return messages.length;
    },
    endDrain() {
      if (window._draining) link.set_drained(true);
    },
    lose() {
      link.close({
        condition: 'com.microsoft:session-lock-lost',
        description: `The session lock has expired on the session with id '${session?.id}'.`,
      });
    },
  };
}

/** The fields of an outcome; rhea has them as accessors. */
const outcomeOf = (delivery: Delivery | undefined): Record<string, unknown> =>
  (delivery?.remote_state ?? {}) as Record<string, unknown>;

/** Service Bus's clients put the reason into the error's info; others say why in the error itself. */
function rejection(state: Record<string, unknown>): Record<string, unknown> {
  const error = state.error as { condition?: string; description?: string; info?: object } | undefined;
  const info = { ...error?.info } as Record<string, unknown>;
  if (error?.condition === 'com.microsoft:dead-letter') return info;
  return { DeadLetterReason: error?.condition, DeadLetterErrorDescription: error?.description, ...info };
}
