import type { Typed } from 'rhea';
import { z } from 'zod';
import { Refused, types } from './amqp.ts';
import { deliveredBytes } from './delivered.ts';
import { tokenBytes, tokenOfBytes } from './lock-token.ts';
import { readMessage } from './message-sections.ts';
import type { Entity } from './queue.ts';
import type { QueueStore } from './queue-store.ts';
import type { Request } from './responder.ts';

/** What `$management` answers: a status as in HTTP and a body. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const bytes = z.instanceof(Buffer);
/** AMQP longs come as numbers, or as 8 bytes where they are beyond 53 bits. */
const long = z.union([z.number().int(), bytes.transform((value) => Number(value.readBigInt64BE()))]);
const many = <T extends z.ZodType>(item: T) => z.array(item).min(1);
const changes = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => value ?? {});

const operations = {
  'com.microsoft:peek-message': (store: QueueStore, entity: Entity, body: unknown): Answer => {
    const { 'from-sequence-number': from, 'message-count': count } = parse(
      z.object({ 'from-sequence-number': long, 'message-count': z.number().int().min(1) }),
      body,
    );
    const messages = store.peek(entity, from, Math.min(count, 250));
    if (messages.length === 0) return { status: 204, body: {} };
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
    const { messages } = parse(z.object({ messages: many(z.object({ message: bytes })) }), body);
    const sequences = store.enqueue(
      entity.queue,
      messages.map(({ message }) => readMessage(message)),
    );
    return ok({ 'sequence-numbers': array(sequences, 0x81) });
  },
  'com.microsoft:cancel-scheduled-message': (store: QueueStore, entity: Entity, body: unknown): Answer => {
    store.cancelScheduled(
      entity.queue,
      parse(z.object({ 'sequence-numbers': many(long) }), body)['sequence-numbers'],
    );
    return ok({});
  },
  'com.microsoft:receive-by-sequence-number': (store: QueueStore, entity: Entity, body: unknown): Answer => {
    const { 'sequence-numbers': sequences, 'receiver-settle-mode': mode } = parse(
      z.object({
        'sequence-numbers': many(long),
        'receiver-settle-mode': z.union([z.literal(0), z.literal(1)]),
      }),
      body,
    );
    const messages = store.receiveDeferred(entity, sequences, mode === 0);
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

/**
 * Answers one request to `$management` of a queue.
 * https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response
 * @throws Refused
 */
export function manage(store: QueueStore, entity: Entity, request: Request): Answer {
  const operation: unknown = request.application_properties?.operation;
  const answer = operations[operation as keyof typeof operations];
  if (typeof operation !== 'string' || answer === undefined)
    throw new Refused(501, 'amqp:not-implemented', `This namespace has no operation ${String(operation)}.`);
  return answer(store, entity, request.body);
}

const ok = (body: Record<string, unknown>): Answer => ({ status: 200, body });

const array = (values: readonly number[], code: number): Typed => types.wrap_array(values, code, undefined);

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Refused(
    400,
    'com.microsoft:argument-error',
    `The request's ${issue?.path.join('.') || 'body'} is wrong: ${issue?.message ?? 'unreadable'}.`,
  );
}
