import { once } from 'node:events';
import type { Server, TLSSocket } from 'node:tls';
import rhea, { type Connection, type Container, type EventContext, type Session } from 'rhea';
import type { Running } from '../data-centre.ts';
import type { Verifier } from '../identity/verifier.ts';
import { broker } from './broker.ts';
import { type ConnectionLinks, connectionLinks } from './connection-links.ts';
import { openDatabase } from './database.ts';
import { QueueSettings, TopicSettings } from './queue.ts';
import { queueStore } from './queue-store.ts';

export interface ServiceBusOptions {
  readonly address: string;
  /** 0 for a free one. */
  readonly port: number;
  /** PEM. Clients connect by a name that stands in it. */
  readonly certificate: string;
  readonly key: string;
  /** File; made if it is not there. */
  readonly database: string;
  readonly queues: readonly (typeof QueueSettings._input)[];
  readonly topics?: readonly (typeof TopicSettings._input)[];
  /** Checks tokens for the audience `https://servicebus.azure.net`. */
  readonly verify: Verifier;
}

/** Stands for format 0, which rhea would decode, so that messages arrive as their bytes. */
const undecoded = 1;

/** Starts a namespace with these queues and topics. @throws if the port is taken or the settings are none */
export async function startServiceBus(
  options: ServiceBusOptions,
): Promise<Running & { readonly port: number }> {
  const queues = options.queues.map((queue) => QueueSettings.parse(queue));
  const topics = (options.topics ?? []).map((topic) => TopicSettings.parse(topic));
  const database = openDatabase(options.database);
  const store = queueStore(database);
  store.releaseAllSessions();
  for (const { subscriptions } of topics)
    for (const { name } of subscriptions) store.ensureSubscription(name);
  const messages = broker(store);
  const container = newContainer();
  const links = new Map<Connection, ConnectionLinks>();
  const linksOf = (connection: Connection): ConnectionLinks => {
    const found =
      links.get(connection) ??
      connectionLinks(connection, { queues, topics, store, broker: messages, verify: options.verify });
    links.set(connection, found);
    return found;
  };

  container.on('session_open', ({ session }: EventContext) => keepBytes(session));
  container.on('sender_open', ({ connection, sender }: EventContext) => {
    if (sender !== undefined) linksOf(connection).senderOpened(sender);
  });
  container.on('receiver_open', ({ connection, receiver }: EventContext) => {
    if (receiver !== undefined) linksOf(connection).receiverOpened(receiver);
  });
  container.on('message', (context: EventContext) => {
    const { connection, receiver, delivery, message } = context;
    if (receiver !== undefined && delivery !== undefined && Buffer.isBuffer(message))
      linksOf(connection).received(receiver, delivery, delivery.format, message);
  });
  for (const event of ['disconnected', 'connection_close'])
    container.on(event, ({ connection }: EventContext) => {
      links.get(connection)?.closed();
      links.delete(connection);
    });

  const server = container.listen({
    transport: 'tls',
    host: options.address,
    port: options.port,
    cert: options.certificate,
    key: options.key,
  } as Parameters<Container['listen']>[0]) as Server;
  const sockets = new Set<TLSSocket>();
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  try {
    await once(server, 'listening');
  } catch (error) {
    database.close();
    throw error;
  }
  for (const queue of queues) messages.pump(queue);
  for (const topic of topics) messages.pumpTopic(topic);
  const bound = server.address();
  return {
    port: bound !== null && typeof bound === 'object' ? bound.port : options.port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
      messages.close();
      for (const each of links.values()) each.closed();
      database.close();
    },
  };
}

function newContainer(): Container {
  const container = rhea.create_container({
    id: 'service-bus',
    // Outcomes are ours to decide, and `modified` is not the same as `released`.
    autoaccept: false,
    autosettle: false,
    treat_modified_as_released: false,
    max_frame_size: 65_536,
    idle_time_out: 120_000,
  } as Parameters<typeof rhea.create_container>[0]);
  // Clients prove who they are by `$cbs` afterwards; these let them in until then.
  const anonymous = () => ({ outcome: undefined as true | undefined, username: 'anonymous', start: admit });
  Object.assign(container.sasl_server_mechanisms, {
    MSSBCBS: anonymous,
    ANONYMOUS: anonymous,
    EXTERNAL: anonymous,
  });
  // What a peer does wrong ends its connection and nothing else.
  for (const event of [
    'error',
    'protocol_error',
    'connection_error',
    'session_error',
    'sender_error',
    'receiver_error',
  ])
    container.on(event, () => {});
  return container;
}

function admit(this: { outcome: true | undefined }): void {
  this.outcome = true;
}

function keepBytes(session: Session | undefined): void {
  if (session === undefined) return;
  const incoming = session as unknown as {
    on_transfer(frame: { performative: { message_format?: number } }): void;
  };
  const receive = incoming.on_transfer.bind(session);
  incoming.on_transfer = (frame) => {
    if (!frame.performative.message_format) frame.performative.message_format = undecoded;
    receive(frame);
  };
}
