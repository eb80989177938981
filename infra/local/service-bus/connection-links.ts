import rhea, { type Connection, type Delivery, type link, type Receiver, type Sender } from 'rhea';
import type { Verifier } from '../identity/verifier.ts';
import { type Address, addressOf, type Entities } from './addresses.ts';
import { accepted, faultOf, Refused, rejected } from './amqp.ts';
import type { Broker } from './broker.ts';
import { type Claims, claimsOf } from './claims.ts';
import { manage } from './management.ts';
import { readBatch, readMessage } from './message-sections.ts';
import { pathOf } from './queue.ts';
import type { QueueStore } from './queue-store.ts';
import { receivers } from './receivers.ts';
import { type Request, responder } from './responder.ts';

export interface Namespace extends Entities {
  readonly store: QueueStore;
  readonly broker: Broker;
  readonly verify: Verifier;
}

/** Bytes; as in the Standard tier. */
const maxMessageSize = 256 * 1024;
const batchFormat = 0x80013700;

/** Everything that one client's connection opens. */
export interface ConnectionLinks {
  senderOpened(link: Sender): void;
  receiverOpened(link: Receiver): void;
  /** `message` in its encoded form. */
  received(link: Receiver, delivery: Delivery, format: number, message: Buffer): void;
  closed(): void;
}

export function connectionLinks(connection: Connection, namespace: Namespace): ConnectionLinks {
  const { store, broker } = namespace;
  const claims = claimsOf(namespace.verify);
  const responses = responder(connection);
  const receiving = receivers(store, broker);
  const addresses = new Map<link, Address>();
  let expiry: NodeJS.Timeout | undefined;

  const admit = (opened: link, address: string | undefined): Address => {
    const found = addressOf(address, namespace);
    if (found.kind !== 'claims') authorise(claims, found.path);
    addresses.set(opened, found);
    return found;
  };
  const refuse = (opened: link, error: unknown): void => {
    opened.close(faultOf(error));
  };
  /** Links whose token has expired are closed, as Azure does. */
  const watchExpiry = (): void => {
    clearTimeout(expiry);
    const next = claims.nextExpiry();
    if (next === undefined) return;
    const check = () => {
      for (const [opened, address] of addresses)
        if (address.kind !== 'claims' && opened.is_open())
          try {
            authorise(claims, address.path);
          } catch (error) {
            refuse(opened, error);
          }
      watchExpiry();
    };
    expiry = setTimeout(check, Math.min(next - Date.now() + 1, 2 ** 31 - 1)).unref();
  };

  const putToken = async (request: Request): Promise<void> => {
    const { operation, name, type } = request.application_properties ?? {};
    try {
      if (operation !== 'put-token')
        throw new Refused(501, 'amqp:not-implemented', `$cbs knows put-token, not ${String(operation)}.`);
      await claims.put(String(name), String(type), String(request.body));
      watchExpiry();
      responses.answer('claims', request, { status: 202, description: 'Accepted' });
    } catch (error) {
      const { status, ...fault } = faultOf(error);
      responses.answer('claims', request, { status, ...fault });
    }
  };
  const answerManagement = (address: Address & { kind: 'management' }, request: Request): void => {
    try {
      const { status, body } = manage(store, address.of, request, receiving.holding);
      responses.answer('management', request, {
        status,
        description: status === 204 ? 'NoContent' : 'OK',
        body,
      });
      if (address.of.kind === 'topic') broker.pumpTopic(address.of.topic);
      else broker.pump(address.of.entity.queue);
    } catch (error) {
      const { status, ...fault } = faultOf(error);
      responses.answer('management', request, { status, ...fault });
    }
  };
  const enqueue = (
    address: Address & { kind: 'entity' | 'topic' },
    delivery: Delivery,
    format: number,
    bytes: Buffer,
  ): void => {
    try {
      if (bytes.length > maxMessageSize)
        throw new Refused(
          400,
          'amqp:link:message-size-exceeded',
          `The message has ${bytes.length} bytes, at most ${maxMessageSize} are allowed.`,
        );
      const messages = format === batchFormat ? readBatch(bytes) : [readMessage(bytes)];
      if (address.kind === 'topic') store.publish(address.topic, messages);
      else store.enqueue(address.entity.queue, messages);
      delivery.update(true, accepted());
    } catch (error) {
      delivery.update(true, rejected(faultOf(error)));
      return;
    }
    if (address.kind === 'topic') broker.pumpTopic(address.topic);
    else broker.pump(address.entity.queue);
  };

  return {
    senderOpened(link) {
      link.set_source(link.source);
      link.set_target(link.target);
      try {
        const address = admit(link, link.source?.address);
        link.once('sender_close', () => addresses.delete(link));
        if (address.kind === 'topic')
          throw new Refused(
            400,
            'amqp:not-allowed',
            `'${address.path}' is a topic: receive from a subscription.`,
          );
        if (address.kind === 'entity') receiving.open(link, address.entity);
        else responses.add(link);
      } catch (error) {
        refuse(link, error);
      }
    },
    receiverOpened(link) {
      link.set_source(link.source);
      link.set_target(link.target);
      (link as unknown as { local: { attach: { max_message_size: number } } }).local.attach.max_message_size =
        maxMessageSize;
      try {
        const address = admit(link, link.target?.address);
        if (address.kind === 'entity' && !namespace.queues.includes(address.entity.queue))
          throw new Refused(
            400,
            'amqp:not-allowed',
            `'${address.path}' is a subscription: send to its topic.`,
          );
        if (address.kind === 'entity' && address.entity.dead)
          throw new Refused(
            400,
            'amqp:not-allowed',
            `Messages cannot be sent to '${pathOf(address.entity)}', a dead-letter queue.`,
          );
        link.once('receiver_close', () => addresses.delete(link));
      } catch (error) {
        refuse(link, error);
      }
    },
    received(link, delivery, format, message) {
      const address = addresses.get(link);
      if (address === undefined) return;
      if (address.kind === 'entity' || address.kind === 'topic')
        return enqueue(address, delivery, format, message);
      const request = requestIn(message);
      delivery.update(true, request instanceof Refused ? rejected(faultOf(request)) : accepted());
      if (request instanceof Refused) return;
      if (address.kind === 'claims') void putToken(request);
      else answerManagement(address, request);
    },
    closed() {
      clearTimeout(expiry);
      receiving.close();
    },
  };
}

function requestIn(message: Buffer): Request | Refused {
  try {
    return rhea.message.decode(message) as Request;
  } catch (error) {
    return new Refused(400, 'amqp:decode-error', `The request is no AMQP message: ${String(error)}`);
  }
}

function authorise(claims: Claims, path: string): void {
  if (!claims.allow(path))
    throw new Refused(
      401,
      'amqp:unauthorized-access',
      `Unauthorized access. No valid token was put for '${path}', or it has expired.`,
    );
}
