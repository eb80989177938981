import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { Terminal } from '../model/errors.ts';
import type { AccessOf, Channel, ContainerAccess, FileStat, Piece, TerminalSize } from './access.ts';
import { type ClientIdentity, connect, type EngineAddress } from './connection.ts';
import { Message } from './container-api.ts';
import { faults } from './faults.ts';
import { streamConnection } from './hijack.ts';
import { pieces } from './pieces.ts';
import { Stats, usageOf } from './stats.ts';

/** Where a machine's engine listens with mutual TLS: IANA, docker-s. */
const PORT = 2376;
const PROMPT = 10_000;
/** Unpacking takes as long as its disk does; milliseconds. */
const UNPACK = 200_000;

const Id = z.object({ Id: z.string() });
const Ended = z.object({ Running: z.boolean(), ExitCode: z.number().int().nullable() });
/** https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerArchiveInfo */
const PathStat = z.object({
  name: z.string(),
  size: z.number(),
  mode: z.number(),
  linkTarget: z.string().default(''),
});
/** Of Go's file modes: https://pkg.go.dev/io/fs#FileMode */
const FOLDER = 2 ** 31;

/** @param identity the app's client certificate */
export function accesses(identity: () => Promise<ClientIdentity>): AccessOf {
  const kept = new Map<string, { address: string; access: ContainerAccess }>();
  return async ({ name, address }) => {
    const found = kept.get(name);
    if (found?.address === address) return found.access;
    const access = httpsAccess({ name, address, port: PORT, identity });
    kept.set(name, { address, access });
    return access;
  };
}

/** Paths without a version: every engine answers them in its own. */
export function httpsAccess(to: EngineAddress): ContainerAccess {
  const connection = streamConnection(to);
  /** What is asked often and answered at once shares connections. */
  const shared = connect(to);

  const resize = async (exec: string, { rows, columns }: TerminalSize): Promise<void> => {
    // A command that has just begun has its terminal a moment later, and one that has ended none any more.
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const answer = await connection.call({
        method: 'POST',
        path: `/exec/${exec}/resize?h=${rows}&w=${columns}`,
      });
      await textOf(answer);
      if ((answer.statusCode ?? 500) < 300) return;
      await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
    }
  };

  return {
    async exec(container, request, size) {
      const created = await connection.call({
        method: 'POST',
        path: `/containers/${encodeURIComponent(container)}/exec`,
        json: {
          AttachStdin: request.stdin,
          AttachStdout: true,
          AttachStderr: true,
          Tty: request.tty,
          Cmd: request.command,
          Env: Object.entries(request.environment ?? {}).map(([name, value]) => `${name}=${value}`),
          ...(request.user === undefined ? {} : { User: request.user }),
          ...(request.workingDirectory === undefined ? {} : { WorkingDir: request.workingDirectory }),
        },
      });
      if (created.statusCode !== 201) throw await faultOf('run a command', created, container);
      const { Id: id } = Id.parse(JSON.parse(await textOf(created)));
      const begun = await connection.hijack(`/exec/${id}/start`, { Detach: false, Tty: request.tty });
      if ('answer' in begun) throw await faultOf('run a command', begun.answer, container);
      if (request.tty && size !== undefined) await resize(id, size);
      return channelOf(begun.socket, request.tty, {
        resize: (given) => (request.tty ? resize(id, given) : Promise.resolve()),
        async exit() {
          // Its output ends a moment before the engine knows.
          for (let attempt = 1; attempt <= 50; attempt += 1) {
            const answer = await connection.call({ method: 'GET', path: `/exec/${id}/json` });
            if (answer.statusCode !== 200) throw await faultOf('look at a command', answer, container);
            const { Running, ExitCode } = Ended.parse(JSON.parse(await textOf(answer)));
            if (!Running && ExitCode !== null) return ExitCode;
            await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
          }
          return undefined;
        },
      });
    },
    async stat(container, path) {
      const answer = await connection.call({ method: 'HEAD', path: archivePath(container, path) });
      answer.resume();
      if (answer.statusCode === 404) throw notThere(container, path);
      if (answer.statusCode !== 200) throw await faultOf('look at a file', answer, container);
      return statOf(answer);
    },
    async getArchive(container, path) {
      const answer = await connection.call({ method: 'GET', path: archivePath(container, path) });
      if (answer.statusCode === 404) {
        await textOf(answer);
        throw notThere(container, path);
      }
      if (answer.statusCode !== 200) throw await faultOf('copy from a container', answer, container);
      return answer;
    },
    async putArchive(container, folder, archive) {
      const answer = await connection.call({
        method: 'PUT',
        path: `${archivePath(container, folder)}&noOverwriteDirNonDir=1`,
        archive,
        timeout: UNPACK,
      });
      if (answer.statusCode === 404) {
        await textOf(answer);
        throw notThere(container, folder);
      }
      if (answer.statusCode !== 200) throw await faultOf('copy into a container', answer, container);
      await textOf(answer);
    },
    async usage(container) {
      const path = `/containers/${encodeURIComponent(container)}/stats?stream=false&one-shot=true`;
      const answer = await shared.send({ method: 'GET', path, timeout: PROMPT });
      if (answer.statusCode === 404) {
        await textOf(answer);
        return undefined;
      }
      if (answer.statusCode !== 200) throw await faultOf('tell what a container uses', answer, container);
      return usageOf(Stats.parse(JSON.parse(await textOf(answer))));
    },
  };
}

export function channelOf(socket: Duplex, raw: boolean, more: Pick<Channel, 'exit' | 'resize'>): Channel {
  // What is written after the other side has gone is of no use, and no fault.
  socket.on('error', () => {});
  return {
    ...more,
    async write(bytes) {
      if (socket.destroyed || socket.writableEnded) return;
      if (socket.write(bytes)) return;
      await new Promise<void>((resolve) => {
        const done = () => {
          socket.off('drain', done);
          socket.off('close', done);
          resolve();
        };
        socket.once('drain', done);
        socket.once('close', done);
      });
    },
    end: () => void socket.end(),
    output: raw ? rawPieces(socket) : pieces(socket),
    close: () => void socket.destroy(),
  };
}

async function* rawPieces(socket: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  for await (const bytes of socket) yield { stream: 'stdout', bytes };
}

const archivePath = (container: string, path: string): string =>
  `/containers/${encodeURIComponent(container)}/archive?${new URLSearchParams({ path })}`;

function statOf(answer: IncomingMessage): FileStat {
  const header = String(answer.headers['x-docker-container-path-stat'] ?? '');
  const { name, size, mode, linkTarget } = PathStat.parse(
    JSON.parse(Buffer.from(header, 'base64').toString()),
  );
  return { name, size, linkTarget, isFolder: mode >= FOLDER && Math.floor(mode / FOLDER) % 2 === 1 };
}

function notThere(container: string, path: string): Terminal {
  return new Terminal({
    code: 'path-not-found',
    status: 404,
    message: `There is no ${path} in container ${container.slice(0, 12)}, or the container is gone.`,
    remedy: 'Look what is there: berth exec SERVICE -- ls /',
  });
}

async function faultOf(what: string, answer: IncomingMessage, container: string): Promise<Error> {
  const status = answer.statusCode ?? 500;
  const text = await textOf(answer);
  let detail = text.slice(0, 500);
  try {
    detail = Message.parse(JSON.parse(text)).message;
  } catch {
    // Not the engine's own words.
  }
  if (status === 404) return faults.containerNotFound(container);
  if (status === 409 && /not running|is paused|restarting/i.test(detail)) return faults.notRunning(detail);
  return status >= 500 ? faults.failed(what, status, detail) : faults.refused(`to ${what}`, status, detail);
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
