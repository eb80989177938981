import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { Terminal } from '../model/errors.ts';
import { type Connection, connect, type EngineAddress, type EngineCall } from './connection.ts';
import { faults } from './faults.ts';
import type { Inside } from './inside.ts';

/** Milliseconds until a call that does little must have been answered, and one that moves an image. */
const PROMPT = 10_000;
const LONG = 120_000;

const Id = z.object({ Id: z.string() });
const Ended = z.object({ ExitCode: z.number().int().nullable() });
const Progress = z.object({
  error: z.string().optional(),
  aux: z.object({ Digest: z.string().optional() }).optional(),
});

/** Paths without a version: every engine answers them in its own. https://docs.docker.com/reference/api/engine/ */
export function httpsInside(to: EngineAddress): Inside {
  const connection = connect(to);
  const removeContainer = async (container: string): Promise<void> => {
    const path = `/containers/${container}?force=true&v=true`;
    // 409: another call is removing it.
    await call(connection, 'remove a container', { method: 'DELETE', path }, [404, 409]);
  };
  return {
    async put(container, folder, archive) {
      const path = `/containers/${container}/archive?${new URLSearchParams({ path: folder })}`;
      await call(connection, 'copy into a container', { method: 'PUT', path, archive });
    },
    async run(container, command, timeout) {
      const body = { AttachStdout: true, AttachStderr: true, Cmd: command };
      const path = `/containers/${container}/exec`;
      const created = await call(connection, 'prepare a command', { method: 'POST', path, body });
      const { Id: id } = Id.parse(JSON.parse(created.toString()));
      const signal = AbortSignal.timeout(timeout);
      const started = { Detach: false, Tty: false };
      const output = await call(connection, 'run a command', {
        method: 'POST',
        path: `/exec/${id}/start`,
        body: started,
        signal,
        timeout,
      }).catch((error: unknown) => {
        throw signal.aborted
          ? faults.unreachable(connection.name, new Error('the command took too long'))
          : error;
      });
      const ended = await call(connection, 'look at a command', { method: 'GET', path: `/exec/${id}/json` });
      const { ExitCode } = Ended.parse(JSON.parse(ended.toString()));
      return { exitCode: ExitCode ?? -1, output: withoutFrames(output) };
    },
    async take(container, folder) {
      const path = `/containers/${container}/archive?${new URLSearchParams({ path: `${folder}/.` })}`;
      return await call(connection, 'copy from a container', { method: 'GET', path, timeout: LONG });
    },
    async importImage(archive, { repository, tag }, changes) {
      const query = new URLSearchParams({ fromSrc: '-', repo: repository, tag });
      for (const change of changes) query.append('changes', change);
      const answer = await call(connection, 'make an image', {
        method: 'POST',
        path: `/images/create?${query}`,
        archive,
        timeout: LONG,
      });
      for (const { error } of progressOf(answer))
        if (error !== undefined) throw faults.failed('make an image', 500, error);
    },
    async pushImage({ repository, tag }, token) {
      const auth = Buffer.from(JSON.stringify({ registrytoken: token })).toString('base64');
      const answer = await call(connection, 'push an image', {
        method: 'POST',
        path: `/images/${repository}/push?${new URLSearchParams({ tag })}`,
        headers: { 'x-registry-auth': auth.replaceAll('+', '-').replaceAll('/', '_') },
        timeout: LONG,
      });
      const lines = progressOf(answer);
      const digest = lines.find(({ aux }) => aux?.Digest !== undefined)?.aux?.Digest;
      if (digest !== undefined) return digest;
      throw new Terminal({
        code: 'push-refused',
        message: `The registry did not take ${repository}:${tag}: ${lines.find(({ error }) => error)?.error ?? 'it did not say why'}`,
        remedy: 'Look at the log of the app and of the machine’s engine; it is tried again.',
      });
    },
    async removeImage(image) {
      await call(
        connection,
        'remove an image',
        { method: 'DELETE', path: `/images/${image}?force=true` },
        [404],
      );
    },
    removeContainer,
    async createRaw(name, body) {
      await removeContainer(name);
      const path = `/containers/create?${new URLSearchParams({ name })}`;
      const created = await call(connection, 'create a container', { method: 'POST', path, body });
      const { Id: id } = Id.parse(JSON.parse(created.toString()));
      await call(connection, 'start a container', { method: 'POST', path: `/containers/${id}/start` });
      return id;
    },
  };
}

/** @param also statuses that are no failure. @throws Terminal where the engine says no, Retryable where it fails */
async function call(
  connection: Connection,
  what: string,
  given: EngineCall,
  also: readonly number[] = [],
): Promise<Buffer> {
  const response = await connection.send({ timeout: PROMPT, ...given });
  const body = await bodyOf(response);
  const status = response.statusCode ?? 500;
  if (status < 300 || also.includes(status)) return body;
  const detail = body.toString().slice(0, 500);
  throw status >= 500 || status === 409
    ? faults.failed(what, status, detail)
    : faults.refused(what, status, detail);
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function progressOf(answer: Buffer): z.infer<typeof Progress>[] {
  const lines = answer.toString().split('\n');
  return lines.filter((line) => line.trim() !== '').map((line) => Progress.parse(JSON.parse(line)));
}

/** Text of a stream of frames: 8 bytes of which the last four are a length. */
function withoutFrames(stream: Buffer): string {
  let text = '';
  for (let at = 0; at + 8 <= stream.length; ) {
    const length = stream.readUInt32BE(at + 4);
    text += stream.subarray(at + 8, at + 8 + length).toString();
    at += 8 + length;
  }
  return text;
}
