import { createServer, connect as open, type Server, type Socket } from 'node:net';

/** A port of the public address, and where connections to it go. */
export interface Forwarding {
  readonly port: number;
  readonly to: number;
  /** Addresses. */
  readonly members: readonly string[];
  /** Members must accept connections on this port, asked so often. */
  readonly probe?: { readonly port: number; readonly seconds: number };
}

/** The part of a load balancer that moves bytes. */
export interface Forwarder {
  /** Address that clients connect to. */
  readonly address: string;
  /** Listens on these ports and no others, and leads to these members. @throws Error a port is taken */
  set(forwardings: readonly Forwarding[]): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds until a member that does not answer is passed over. */
const CONNECT_MS = 2_000;

interface Listening {
  forwarding: Forwarding;
  readonly server: Server;
  readonly sockets: Set<Socket>;
}

/**
 * Forwards connections in turn to members that answer their probe, and where one refuses, to the next. Azure's keeps the
 * client's address; this one shows members its own.
 */
export function forwarder(address: string): Forwarder {
  const listening = new Map<number, Listening>();
  const down = new Set<string>();
  let turn = 0;

  const lead = async (client: Socket, { forwarding, sockets }: Listening): Promise<void> => {
    const { members, to } = forwarding;
    const up = members.filter((member) => !down.has(member));
    const inTurn = up.length > 0 ? up : members;
    turn += 1;
    for (let tries = 0; tries < inTurn.length; tries += 1) {
      const member = inTurn[(turn + tries) % inTurn.length];
      const server = member === undefined ? undefined : await connected(member, to);
      if (server === undefined) continue;
      sockets.add(server);
      server.once('close', () => sockets.delete(server));
      join(client, server);
      return;
    }
    client.resetAndDestroy();
  };

  const listen = (forwarding: Forwarding): Promise<Listening> =>
    new Promise((resolve, reject) => {
      const sockets = new Set<Socket>();
      const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
        sockets.add(client);
        client.once('close', () => sockets.delete(client));
        client.on('error', () => client.destroy());
        void lead(client, made);
      });
      const made: Listening = { forwarding, server, sockets };
      server.once('error', reject);
      server.listen(forwarding.port, address, () => resolve(made));
    });

  const end = async (port: number): Promise<void> => {
    const found = listening.get(port);
    listening.delete(port);
    if (found === undefined) return;
    for (const socket of found.sockets) socket.destroy();
    await new Promise((resolve) => found.server.close(resolve));
  };

  const probe = async (): Promise<void> => {
    const asked = new Map<string, number>();
    for (const { forwarding } of listening.values())
      for (const member of forwarding.members)
        if (forwarding.probe !== undefined) asked.set(member, forwarding.probe.port);
    await Promise.all(
      [...asked].map(async ([member, port]) => {
        const socket = await connected(member, port);
        socket?.destroy();
        if (socket === undefined) down.add(member);
        else down.delete(member);
      }),
    );
  };
  // The shortest interval that Azure allows, for all.
  const timer = setInterval(() => void probe(), 5_000).unref();

  return {
    address,
    async set(forwardings) {
      const wanted = new Map(forwardings.map((forwarding) => [forwarding.port, forwarding]));
      for (const port of listening.keys()) if (!wanted.has(port)) await end(port);
      for (const [port, forwarding] of wanted) {
        const found = listening.get(port);
        if (found === undefined) listening.set(port, await listen(forwarding));
        else found.forwarding = forwarding;
      }
      await probe();
    },
    async close() {
      clearInterval(timer);
      for (const port of [...listening.keys()]) await end(port);
    },
  };
}

function connected(address: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = open({ host: address, port, allowHalfOpen: true, noDelay: true });
    const give = (result: Socket | undefined): void => {
      clearTimeout(timer);
      if (result === undefined) socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => give(undefined), CONNECT_MS);
    socket.once('connect', () => give(socket));
    socket.once('error', () => give(undefined));
  });
}

function join(client: Socket, server: Socket): void {
  const end = (): void => {
    client.destroy();
    server.destroy();
  };
  client.on('error', end);
  server.on('error', end);
  client.pipe(server);
  server.pipe(client);
}
