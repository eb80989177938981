import type { Engine } from '../../docker/engine.ts';
import type { Inside } from '../../docker/inside.ts';
import { tar } from '../../docker/tar.ts';
import { Terminal } from '../../model/errors.ts';
import { Digest } from '../../model/image.ts';
import { REPOSITORY } from '../ingress-application.ts';
import type { IngressImage } from '../ingress-state.ts';
import { ASSEMBLE, IMAGE_FILES, RECIPE } from './scripts.ts';

/** A machine on which the image is put together. */
export interface Workshop {
  readonly engine: Engine;
  readonly inside: Inside;
  /** Registry host, as the machine's engine names it. */
  readonly registry: string;
  /** That may push to the ingress's repository, for some minutes. */
  token(): Promise<string>;
  now(): Date;
}

export type BuildLook =
  | { readonly state: 'going' }
  | { readonly state: 'failed'; readonly reason: string }
  | { readonly state: 'built'; readonly image: IngressImage };

const BUILDER = 'berth-ingress-build';
const BASE = { repository: 'berth-ingress-base', tag: 'latest' };
/** Where the machine's /etc is: engines since 25 put files of their own into /etc, which therefore must be the container's. */
const ETC = 'machine-etc';
/** What of it apt and the programs around it read; one that a machine does not have leads nowhere. */
const SETTINGS = [
  ...['apt', 'dpkg', 'alternatives', 'passwd', 'group', 'nsswitch.conf', 'gai.conf'],
  ...['ssl', 'ca-certificates', 'ca-certificates.conf', 'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d'],
];
const LINKS = [
  ...['bin', 'sbin', 'lib', 'lib64'].map((folder) => ({ path: folder, to: `usr/${folder}` })),
  ...SETTINGS.map((name) => ({ path: `etc/${name}`, to: `../${ETC}/${name}` })),
];
const FOLDERS = [
  `${ETC}/`,
  'usr/',
  'etc/',
  'tmp/',
  'work/',
  'out/',
  'proc/',
  'sys/',
  'dev/',
  'run/',
  'var/',
  'root/',
];

/**
 * Begins to put the image together: no image can be pulled from anywhere, so the container that does it has nothing of its
 * own but folders, and the machine's programs and its apt, read-only. A repeated call begins again.
 */
export async function beginBuild({ inside }: Workshop): Promise<void> {
  const skeleton = tar(
    FOLDERS.map((path) => ({ path, content: '', mode: 0o755 })),
    LINKS,
  );
  await inside.importImage(skeleton, BASE, []);
  await inside.createRaw(BUILDER, {
    Image: `${BASE.repository}:${BASE.tag}`,
    Cmd: ['/bin/sh', '-c', ASSEMBLE],
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    HostConfig: { Binds: ['/usr:/usr:ro', `/etc:/${ETC}:ro`], NetworkMode: 'host', CpuShares: 512 },
  });
}

/** How it stands; once the packages are there, the image is made, pushed, and what it was made with removed. */
export async function lookAtBuild(workshop: Workshop): Promise<BuildLook> {
  const { engine, inside, registry, now } = workshop;
  const builder = await engine.inspect(BUILDER);
  if (builder === undefined)
    return { state: 'failed', reason: 'the container that puts the image together is gone' };
  if (builder.state.state !== 'exited') return { state: 'going' };
  const lines: string[] = [];
  for await (const { text } of engine.logs(builder.id, { tail: 20 })) lines.push(text);
  const { exitCode } = builder.state;
  if (exitCode !== 0) {
    await inside.removeContainer(BUILDER);
    return { state: 'failed', reason: `apt ended with exit code ${exitCode}: ${lines.slice(-6).join(' ')}` };
  }
  await inside.put(builder.id, '/out', tar(IMAGE_FILES));
  const name = { repository: `${registry}/${REPOSITORY}`, tag: RECIPE };
  await inside.importImage(await inside.take(builder.id, '/out'), name, ['ENTRYPOINT ["/berth/start"]']);
  const digest = Digest.safeParse(await inside.pushImage(name, await workshop.token())).data;
  if (digest === undefined)
    throw new Terminal({
      code: 'push-refused',
      message: 'The registry told no digest of the ingress’s image.',
      remedy: 'It is tried again.',
    });
  await inside.removeContainer(BUILDER);
  await inside.removeImage(`${BASE.repository}:${BASE.tag}`);
  const version = lines.find((line) => line.startsWith('haproxy '))?.slice('haproxy '.length) ?? 'unknown';
  return { state: 'built', image: { digest, recipe: RECIPE, version, builtAt: now().toISOString() } };
}
