import { existsSync, readFileSync } from 'node:fs';
import { type IncomingMessage, request as plain, type RequestOptions } from 'node:http';
import { request as secure } from 'node:https';
import { join } from 'node:path';
import { z } from 'zod';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { harmless } from '../output.ts';

/** How to reach a container engine that speaks Docker's API: Docker, or Podman's service. */
export interface Engine {
  /** As DOCKER_HOST has it. */
  readonly address: string;
  readonly options: RequestOptions;
  readonly isSecure: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * DOCKER_HOST or CONTAINER_HOST, else the first of the usual sockets that is there.
 * @throws Failure `engine-unreachable`
 */
export function findEngine(environment: Environment): Engine {
  const named = environment['DOCKER_HOST'] || environment['CONTAINER_HOST'];
  if (named) return engineAt(named, environment);
  const runtime = environment['XDG_RUNTIME_DIR'];
  const sockets = [
    '/var/run/docker.sock',
    ...(runtime ? [join(runtime, 'docker.sock'), join(runtime, 'podman/podman.sock')] : []),
    '/run/podman/podman.sock',
  ];
  const socket = sockets.find(existsSync);
  if (socket === undefined) throw unreachable(`no engine has a socket here (${sockets.join(', ')})`);
  return engineAt(`unix://${socket}`, environment);
}

function engineAt(address: string, environment: Environment): Engine {
  const unix = /^unix:\/\/(?<path>\/.+)$/.exec(address)?.groups?.['path'];
  if (unix !== undefined) return { address, options: { socketPath: unix }, isSecure: false };
  const url = /^(tcp|https?):\/\//.test(address) ? new URL(address.replace(/^tcp:/, 'http:')) : undefined;
  if (url === undefined)
    throw unreachable(
      `${address} is no address that berth can use: expected unix:///path or tcp://host:port`,
    );
  const isSecure = address.startsWith('https:') || Boolean(environment['DOCKER_TLS_VERIFY']);
  const where = { host: url.hostname, port: url.port || (isSecure ? 2376 : 2375) };
  const folder = environment['DOCKER_CERT_PATH'] || join(environment['HOME'] ?? '', '.docker');
  const read = (name: string) => {
    const file = join(folder, name);
    return existsSync(file) ? readFileSync(file) : undefined;
  };
  return {
    address,
    isSecure,
    options: isSecure
      ? { ...where, ...{ ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') } }
      : where,
  };
}

const EngineError = z.object({ message: z.string() });
const Images = z.array(z.object({ RepoTags: z.array(z.string()).nullish() }));

/**
 * The tar of an image, as `docker save` writes it.
 * @throws Failure `image-not-in-engine`, `engine-unreachable`
 */
export async function exportImage(
  engine: Engine,
  image: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const answer = await ask(engine, `/images/${encodeURIComponent(image)}/get`, signal);
  if (answer.statusCode === 200) return answer;
  const text = await textOf(answer);
  const reason = EngineError.safeParse(parse(text)).data?.message ?? text.slice(0, 200);
  // Engines say 500 for an image that they do not have, too.
  if (
    answer.statusCode === 404 ||
    /no such image|not found|not known|unable to find|does not exist/i.test(reason)
  )
    throw new Failure({
      code: 'image-not-in-engine',
      message: `The engine at ${engine.address} has no image ${image}: ${harmless(reason.trim())}`,
      remedy: await proposal(engine, signal),
      exitCode: exitCodes.notFound,
    });
  throw unreachable(`${engine.address} answered ${answer.statusCode}: ${harmless(reason)}`);
}

async function proposal(engine: Engine, signal: AbortSignal): Promise<string> {
  const listed = Images.safeParse(parse(await textOf(await ask(engine, '/images/json', signal)))).data ?? [];
  const tags = listed.flatMap(({ RepoTags }) => RepoTags ?? []).slice(0, 10);
  return tags.length === 0 ? 'It has no images with a name.' : `It has: ${tags.join(', ')}`;
}

function ask(engine: Engine, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = (engine.isSecure ? secure : plain)(
      { ...engine.options, path, headers: { host: 'engine' }, signal },
      resolve,
    );
    outgoing.on('error', (error) =>
      reject(signal.aborted ? error : unreachable(`${engine.address} does not answer: ${error.message}`)),
    );
    outgoing.end();
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of answer.setEncoding('utf8')) text += part;
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const unreachable = (reason: string): Failure =>
  new Failure({
    code: 'engine-unreachable',
    message: `The container engine: ${reason}.`,
    remedy:
      'Start Docker, or podman system service; name another engine in DOCKER_HOST; or give a file: docker save.',
    exitCode: exitCodes.unreachable,
  });
