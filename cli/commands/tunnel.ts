import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type Command, InvalidArgumentError } from 'commander';
import { tunnelToService } from '../../shared/api/routes/sessions.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { type ServiceParams, serviceNamed } from '../service-name.ts';
import { type Session, withSession } from '../session.ts';
import { close, newSessionId, sessionInput, sessionOutput } from '../session-io/session-client.ts';

interface Ports {
  /** 0: one that is free. */
  readonly local: number;
  readonly remote: number | undefined;
}

const number = (text: string): number => {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('Expected [local:]remote, for example 15432:5432.');
  return Number(text);
};

/** Pure. @throws InvalidArgumentError */
export function parsePorts(text: string): Ports {
  const [first = '', second, ...rest] = text.split(':');
  if (rest.length > 0) throw new InvalidArgumentError('Expected [local:]remote.');
  return second === undefined
    ? { local: number(first), remote: number(first) }
    : { local: number(first || '0'), remote: number(second) };
}

export const addTunnel = (program: Command): Command =>
  program
    .command('tunnel')
    .description('leads a port of this computer to that of a replica, until Ctrl-C')
    .argument('<service>', 'service, application/service or application/service/replica')
    .argument(
      '[ports]',
      '[local:]remote; a free one here, and the service’s own port, if left out',
      parsePorts,
    )
    .action((name: string, ports: Ports | undefined, _options, command: Command) =>
      withSession(command, async (session) => {
        const { params, replica } = await serviceNamed(session, name);
        const { output, interrupted } = session;
        const tunnel = newSessionId();
        const going = new Set<Promise<void>>();
        const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
          const one = carry(session, socket, { params, replica, port: ports?.remote, tunnel }).catch(
            (error: unknown) => {
              output.say(error instanceof Error ? error.message : String(error));
              socket.destroy();
            },
          );
          going.add(one);
          void one.finally(() => going.delete(one));
        });
        server.listen(ports?.local ?? 0, '127.0.0.1');
        await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
          throw new Failure({
            code: 'port-taken',
            message: `127.0.0.1:${ports?.local} cannot be listened on: ${error.code}.`,
            remedy: `Name another one: berth tunnel ${name} 0:${ports?.remote ?? ''}`,
            exitCode: exitCodes.usage,
          });
        });
        const address = server.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        output.data(
          { address: '127.0.0.1', port },
          () => `127.0.0.1:${port} leads to ${name}; Ctrl-C ends it.`,
        );
        if (!interrupted.aborted) await once(interrupted, 'abort');
        server.close();
        await Promise.all(going);
      }),
    );

interface Target {
  readonly params: ServiceParams;
  readonly replica: string | undefined;
  readonly port: number | undefined;
  /** Its connections are one event. */
  readonly tunnel: string;
}

/** One connection, to its end. */
async function carry(
  { client, interrupted }: Session,
  socket: Socket,
  { params, replica, port, tunnel }: Target,
): Promise<void> {
  const id = newSessionId();
  // Whoever connects may go again before the other side has answered.
  socket.on('error', () => {});
  const gone = new AbortController();
  const leave = () => gone.abort();
  socket.once('close', leave);
  interrupted.addEventListener('abort', leave);
  try {
    await client.call(tunnelToService, { params, json: { session: id, replica, port, tunnel } });
    const input = sessionInput(client, id);
    const giving = (async () => {
      for await (const bytes of socket.iterator({ destroyOnReturn: false }))
        await input.write(bytes as Buffer);
      await input.end();
    })().catch(() => leave());
    for await (const { bytes } of sessionOutput(client, id, gone.signal))
      if (!socket.write(bytes) && !socket.destroyed)
        await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    socket.end();
    if (gone.signal.aborted) socket.destroy();
    else await giving;
  } finally {
    interrupted.removeEventListener('abort', leave);
    await close(client, id).catch(() => undefined);
  }
}
