import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { agreedVersion, OLDEST } from './api-version.ts';
import { type Connection, connect, type EngineAddress, type EngineCall } from './connection.ts';
import { Created, containerOf, Inspected, Listed, Message, Waited } from './container-api.ts';
import { createBody } from './create-body.ts';
import { type Container, type Engine, isMadeFrom } from './engine.ts';
import { faults } from './faults.ts';
import { engineTime, logLines, nanoseconds } from './log-frames.ts';
import { InspectedNetwork, isSuchNetwork, networkBody } from './network.ts';
import { pullError, pullFault } from './pull-progress.ts';
import { httpsVolumes } from './volumes.https.ts';

/** Milliseconds until a call that does little must have been answered. */
const PROMPT = 30_000;
/** Times that a network is asked for, and milliseconds between them. */
const MOST_TRIES = 20;
const NETWORK_PAUSE = 100;
/** Milliseconds between two looks at a container that is waited for and was not started yet. */
const UNSTARTED_PAUSE = 50;

/**
 * A Docker engine over its API, with mutual TLS or a unix socket.
 * https://docs.docker.com/reference/api/engine/
 */
export function httpsEngine(to: EngineAddress): Engine {
  const connection = connect(to);
  let agreed: Promise<{ api: string; engine: string }> | undefined;

  const negotiate = () => {
    agreed ??= ping(connection);
    agreed.catch(() => {
      agreed = undefined;
    });
    return agreed;
  };
  /** A call under the agreed version. An engine that went away may come back as another version. */
  const call = async (given: EngineCall): Promise<IncomingMessage> => {
    const { api } = await negotiate();
    try {
      return await connection.send({ timeout: PROMPT, ...given, path: `/v${api}${given.path}` });
    } catch (error) {
      agreed = undefined;
      throw error;
    }
  };
  const inspect = async (idOrName: string): Promise<Container | undefined> => {
    const response = await call({ method: 'GET', path: `/containers/${encodeURIComponent(idOrName)}/json` });
    if (response.statusCode === 404) return await drained(response, undefined);
    return containerOf(await parsed(response, Inspected, 'inspect a container'));
  };

  return {
    inspect,
    volumes: httpsVolumes(call),
    async version() {
      agreed = undefined;
      return await negotiate();
    },
    async pull(image, token) {
      const present = await call({ method: 'GET', path: `/images/${image}/json` });
      await drained(present, undefined);
      if (present.statusCode === 200) return;
      const [repository = image, digest = ''] = image.split('@');
      const response = await connection.send({
        method: 'POST',
        path: `/v${(await negotiate()).api}/images/create?${new URLSearchParams({ fromImage: repository, tag: digest })}`,
        headers: token === '' ? {} : { 'x-registry-auth': registryAuth(token) },
      });
      const detail = response.statusCode === 200 ? await pullError(response) : await messageOf(response);
      if (detail !== undefined) throw pullFault(image, detail);
    },
    async create(request) {
      const response = await call({
        method: 'POST',
        path: `/containers/create?${new URLSearchParams({ name: request.name })}`,
        body: createBody(request),
      });
      if (response.statusCode === 201) return { id: (await parsed(response, Created, 'create')).Id };
      const detail = await messageOf(response);
      if (response.statusCode === 404) throw faults.imageNotFound(request.image, detail);
      if (response.statusCode !== 409) throw faultOf('create a container', response, detail);
      const found = await inspect(request.name);
      if (found === undefined) throw faults.failed('create a container', 409, detail);
      if (!isMadeFrom(found, request)) throw faults.nameConflict(request.name);
      return { id: found.id };
    },
    async putArchive(id, folder, archive) {
      const path = `/containers/${id}/archive?${new URLSearchParams({ path: folder })}`;
      await settled(await call({ method: 'PUT', path, archive }), [200], 'copy files into a container');
    },
    async start(id) {
      const response = await call({ method: 'POST', path: `/containers/${id}/start`, timeout: 60_000 });
      if (response.statusCode === 204 || response.statusCode === 304)
        return await drained(response, undefined);
      const detail = await messageOf(response);
      if (/port is already allocated|address already in use/i.test(detail)) throw faults.portTaken(detail);
      if (
        /executable file not found|exec format error|exec: .*(no such file|permission denied)/i.test(detail)
      )
        throw faults.commandNotFound(detail);
      if (/network \S+ not found/i.test(detail)) throw faults.networkNotFound(detail);
      if (response.statusCode === 404) throw faults.containerNotFound(id);
      throw faultOf('start a container', response, detail);
    },
    async removeNetwork(network) {
      const path = `/networks/${encodeURIComponent(network)}`;
      const response = await call({ method: 'DELETE', path });
      // 403, or 409 of newer engines: it has active endpoints.
      await settled(response, [204, 403, 404, 409], 'remove a network');
      return response.statusCode === 204 || response.statusCode === 404;
    },
    async ensureNetwork(network) {
      for (let tries = 1; ; tries += 1) {
        const made = await call({ method: 'POST', path: '/networks/create', body: networkBody(network) });
        if (made.statusCode === 201) return await drained(made, undefined);
        const detail = await messageOf(made);
        const path = `/networks/${encodeURIComponent(network.name)}`;
        const found = await call({ method: 'GET', path });
        if (found.statusCode === 404) await drained(found, undefined);
        else if (isSuchNetwork(await parsed(found, InspectedNetwork, 'inspect a network'), network)) return;
        // Left from an environment that had another number.
        else await settled(await call({ method: 'DELETE', path }), [204, 404], 'remove a network');
        if (tries === MOST_TRIES) throw faultOf('make a network', made, detail);
        // Another call may be making it: its addresses are taken before it is there.
        await sleep(NETWORK_PAUSE);
      }
    },
    async stop(id, graceSeconds) {
      const t = Math.ceil(graceSeconds);
      const path = `/containers/${id}/stop?t=${t}`;
      const response = await call({ method: 'POST', path, timeout: PROMPT + t * 1000 });
      await settled(response, [204, 304, 404], 'stop a container');
    },
    async remove(id) {
      const response = await call({ method: 'DELETE', path: `/containers/${id}?force=true&v=true` });
      // 409: another call is removing it.
      await settled(response, [204, 404, 409], 'remove a container');
    },
    async list(labels) {
      const filters = JSON.stringify(labels.length === 0 ? {} : { label: labels });
      const query = new URLSearchParams({ all: 'true', filters });
      const response = await call({ method: 'GET', path: `/containers/json?${query}` });
      const found = await parsed(response, Listed, 'list containers');
      // The list says neither exit code nor times.
      const containers = await Promise.all(found.map(({ Id }) => inspect(Id)));
      return containers.filter((container) => container !== undefined);
    },
    async *logs(id, { tail, since, follow, signal }) {
      const query = new URLSearchParams({ stdout: '1', stderr: '1', timestamps: '1' });
      if (follow === true) query.set('follow', '1');
      if (tail !== undefined) query.set('tail', String(tail));
      if (since !== undefined) query.set('since', engineTime(since));
      const path = `/containers/${id}/logs?${query}`;
      const response = await call({ method: 'GET', path, timeout: undefined, signal });
      if (response.statusCode === 404) {
        await drained(response, undefined);
        throw faults.containerNotFound(id);
      }
      if (response.statusCode !== 200)
        throw faultOf('read a container’s log', response, await messageOf(response));
      // The engine's `since` includes its own moment.
      const after = since === undefined ? undefined : nanoseconds(since);
      try {
        for await (const line of logLines(response))
          if (after === undefined || nanoseconds(line.time) > after) yield line;
      } catch (error) {
        if (signal?.aborted !== true) throw faults.unreachable(connection.name, error);
      } finally {
        response.destroy();
      }
    },
    async wait(id, signal) {
      const { api } = await negotiate();
      for (;;) {
        const path = `/v${api}/containers/${id}/wait?condition=not-running`;
        const response = await connection.send({ method: 'POST', path, signal });
        if (response.statusCode === 404) {
          await drained(response, undefined);
          throw faults.containerNotFound(id);
        }
        const { StatusCode } = await parsed(response, Waited, 'wait for a container');
        if (StatusCode !== 0) return { exitCode: StatusCode };
        // One that was never started counts as not running, and may have been started meanwhile.
        const state = (await inspect(id))?.state;
        if (state === undefined || state.state === 'exited') return { exitCode: state?.exitCode ?? 0 };
        if (state.state === 'created') await sleep(UNSTARTED_PAUSE, undefined, { signal });
      }
    },
  };
}

async function ping(connection: Connection): Promise<{ api: string; engine: string }> {
  const response = await connection.send({ method: 'GET', path: '/_ping', timeout: 5_000 });
  await settled(response, [200], 'answer a ping');
  const theirs = String(response.headers['api-version'] ?? '');
  const api = agreedVersion(theirs);
  if (api === undefined) throw faults.tooOld(connection.name, theirs, OLDEST);
  const [, engine = ''] = /^Docker\/(\S+)/.exec(String(response.headers.server ?? '')) ?? [];
  return { api, engine };
}

/** https://docs.docker.com/reference/api/engine/version/v1.47/#section/Authentication */
const registryAuth = (token: string): string =>
  // With its padding, which Node's base64url leaves out: engine 20.10 takes the header for empty without.
  Buffer.from(JSON.stringify({ registrytoken: token }))
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_');

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += chunk;
  return text;
}

/** Reads the body to its end, so that the connection serves again. */
async function drained<T>(response: IncomingMessage, value: T): Promise<T> {
  for await (const _ of response);
  return value;
}

async function messageOf(response: IncomingMessage): Promise<string> {
  const text = await textOf(response);
  try {
    return Message.parse(JSON.parse(text)).message;
  } catch {
    return text.slice(0, 500);
  }
}

async function parsed<T>(response: IncomingMessage, schema: z.ZodType<T>, what: string): Promise<T> {
  if ((response.statusCode ?? 500) >= 300) throw faultOf(what, response, await messageOf(response));
  return schema.parse(JSON.parse(await textOf(response)));
}

async function settled(response: IncomingMessage, expected: readonly number[], what: string): Promise<void> {
  if (expected.includes(response.statusCode ?? 0)) return await drained(response, undefined);
  throw faultOf(what, response, await messageOf(response));
}

function faultOf(what: string, response: IncomingMessage, detail: string): Error {
  const status = response.statusCode ?? 500;
  return status >= 500 || status === 409 || status === 429
    ? faults.failed(what, status, detail)
    : faults.refused(`to ${what}`, status, detail);
}
