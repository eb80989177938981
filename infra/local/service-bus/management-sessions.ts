import { z } from 'zod';
import { types } from './amqp.ts';
import { type Answer, bytes, ok, parse } from './management-requests.ts';
import type { Entity } from './queue.ts';
import type { QueueStore } from './queue-store.ts';
import type { HeldSession } from './sessions.ts';

/** The session that the asking connection holds. @throws Refused `session-lock-lost` */
export type Holding = (entity: Entity, sessionId: string) => HeldSession;

const named = z.object({ 'session-id': z.string() });

export const sessionOperations = {
  'com.microsoft:renew-session-lock': (
    store: QueueStore,
    entity: Entity,
    body: unknown,
    holding: Holding,
  ): Answer => {
    const session = holding(entity, parse(named, body)['session-id']);
    return ok({ expiration: types.wrap_timestamp(store.renewSession(entity.queue, session)) });
  },
  'com.microsoft:get-session-state': (
    store: QueueStore,
    entity: Entity,
    body: unknown,
    holding: Holding,
  ): Answer => {
    const session = holding(entity, parse(named, body)['session-id']);
    return ok({ 'session-state': store.sessionState(entity.queue, session) ?? null });
  },
  'com.microsoft:set-session-state': (
    store: QueueStore,
    entity: Entity,
    body: unknown,
    holding: Holding,
  ): Answer => {
    const given = parse(named.extend({ 'session-state': bytes.nullish() }), body);
    const session = holding(entity, given['session-id']);
    store.setSessionState(entity.queue, session, given['session-state'] ?? undefined);
    return ok({});
  },
};
