import { z } from 'zod';
import type { ManagedEntity } from './addresses.ts';
import { Refused, types } from './amqp.ts';
import { deliveredBytes } from './delivered.ts';
import { tokenBytes, tokenOfBytes } from './lock-token.ts';
import {
  type Answer,
  array,
  bytes,
  long,
  many,
  noContent,
  ok,
  parse,
  sessionId,
} from './management-requests.ts';
import { ruleOperations } from './management-rules.ts';
import { type Holding, sessionOperations } from './management-sessions.ts';
import { readMessage } from './message-sections.ts';
import { type Entity, pathOf, sessionful, type TopicSettings } from './queue.ts';
import type { QueueStore } from './queue-store.ts';
import type { Request } from './responder.ts';

const changes = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => value ?? {});

const messageOperations = {
  'com.microsoft:peek-message': (store: QueueStore, entity: Entity, body: unknown): Answer => {
    const given = parse(
      z.object({
        'from-sequence-number': long,
        'message-count': z.number().int().min(1),
        'session-id': sessionId,
      }),
      body,
    );
    const count = Math.min(given['message-count'], 250);
    const messages = store.peek(entity, given['from-sequence-number'], count, given['session-id']);
    if (messages.length === 0) return noContent;
    return ok({ messages: messages.map((message) => ({ message: deliveredBytes(message) })) });
  },
  'com.microsoft:renew-lock': (store: QueueStore, entity: Entity, body: unknown): Answer => {
    const { 'lock-tokens': tokens } = parse(z.object({ 'lock-tokens': many(bytes) }), body);
    const expirations = tokens.map((token) => store.renew(entity, tokenOfBytes(token)));
    return ok({ expirations: array(expirations, 0x83) });
  },
  'com.microsoft:schedule-message': (store: QueueStore, entity: Entity, body: unknown): Answer => {
    if (entity.dead)
      throw new Refused(400, 'amqp:not-allowed', 'Messages cannot be sent to a dead-letter queue.');
    return ok({ 'sequence-numbers': array(store.enqueue(entity.queue, scheduled(body)), 0x81) });
  },
  'com.microsoft:cancel-scheduled-message': (store: QueueStore, entity: Entity, body: unknown): Answer => {
    store.cancelScheduled(entity.queue, cancelled(body));
    return ok({});
  },
  'com.microsoft:receive-by-sequence-number': (
    store: QueueStore,
    entity: Entity,
    body: unknown,
    holding: Holding,
  ): Answer => {
    const given = parse(
      z.object({
        'sequence-numbers': many(long),
        'receiver-settle-mode': z.union([z.literal(0), z.literal(1)]),
        'session-id': sessionId,
      }),
      body,
    );
    if (sessionful(entity) && given['session-id'] === undefined)
      throw new Refused(400, 'amqp:not-allowed', `'${pathOf(entity)}' requires sessions: name one.`);
    const messages = store.receiveDeferred(
      entity,
      given['sequence-numbers'],
      given['receiver-settle-mode'] === 0,
      given['session-id'] === undefined ? undefined : holding(entity, given['session-id']),
    );
    return ok({
      messages: messages.map((message) => ({
        message: deliveredBytes(message),
        ...(message.lockToken === undefined
          ? {}
          : { 'lock-token': types.wrap_uuid(tokenBytes(message.lockToken)) }),
      })),
    });
  },
  'com.microsoft:update-disposition': (store: QueueStore, entity: Entity, body: unknown): Answer => {
    const given = parse(Disposition, body);
    const properties = given['properties-to-modify'];
    for (const token of given['lock-tokens'].map(tokenOfBytes))
      switch (given['disposition-status']) {
        case 'completed':
          store.complete(entity, token);
          break;
        case 'abandoned':
          store.abandon(entity, token, properties);
          break;
        case 'defered':
          store.defer(entity, token, properties);
          break;
        case 'suspended':
          store.deadLetter(entity, token, {
            ...properties,
            DeadLetterReason: given['deadletter-reason'],
            DeadLetterErrorDescription: given['deadletter-description'],
          });
      }
    return ok({});
  },
};

const Disposition = z.object({
  'lock-tokens': many(bytes),
  'disposition-status': z.enum(['completed', 'abandoned', 'defered', 'suspended']),
  'deadletter-reason': z.string().nullish(),
  'deadletter-description': z.string().nullish(),
  'properties-to-modify': changes,
});

const topicOperations = {
  'com.microsoft:schedule-message': (store: QueueStore, topic: TopicSettings, body: unknown): Answer =>
    ok({ 'sequence-numbers': array(store.publish(topic, scheduled(body)), 0x81) }),
  'com.microsoft:cancel-scheduled-message': (
    store: QueueStore,
    topic: TopicSettings,
    body: unknown,
  ): Answer => {
    store.cancelScheduled(topic, cancelled(body));
    return ok({});
  },
};

const scheduled = (body: unknown) =>
  parse(z.object({ messages: many(z.object({ message: bytes })) }), body).messages.map(({ message }) =>
    readMessage(message),
  );
const cancelled = (body: unknown) =>
  parse(z.object({ 'sequence-numbers': many(long) }), body)['sequence-numbers'];

const entityOperations = { ...messageOperations, ...sessionOperations };

/**
 * Answers one request to `$management` of a queue, subscription or topic.
 * https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response
 * @throws Refused
 */
export function manage(store: QueueStore, of: ManagedEntity, request: Request, holding: Holding): Answer {
  const operation = String(request.application_properties?.operation);
  const { body } = request;
  if (of.kind === 'topic' && operation in topicOperations)
    return topicOperations[operation as keyof typeof topicOperations](store, of.topic, body);
  if (of.kind === 'entity' && operation in entityOperations)
    return entityOperations[operation as keyof typeof entityOperations](store, of.entity, body, holding);
  const onRules = ruleOperations[operation];
  if (of.kind === 'entity' && of.subscription && !of.entity.dead && onRules !== undefined)
    return onRules(store, of.entity.queue.name, body);
  throw new Refused(501, 'amqp:not-implemented', `There is no operation ${operation} here.`);
}
