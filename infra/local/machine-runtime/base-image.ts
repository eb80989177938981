import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Retryable, Terminal } from '../../../shared/model/errors.ts';
import { type AptSettings, aptSettings } from './apt-settings.ts';
import { type BaseRecipe, baseImageName, baseRecipe } from './base-recipe.ts';
import { type EngineApi, jsonLines, readAll } from './engine-api.ts';
import { installed } from './install-engine.ts';
import { makeRoot } from './make-root.ts';
import { hostRelease, makeForRelease } from './release.ts';
import { tarOf } from './tar.ts';

export interface BaseImageOptions {
  /** Absolute: keeps the root file system's archive (300 MB), from which another engine has the image in seconds. */
  readonly cache: string;
  readonly report: (line: string) => void;
  /** Gives up when it is aborted. */
  readonly signal?: AbortSignal;
}

/**
 * Makes, or finds, the image that marketplace references of a release boot; answers its name. On Debian as root it is made
 * of packages, elsewhere FROM debian, for which a registry must be reachable.
 */
export const ensureBaseImage = (
  engine: EngineApi,
  release: string,
  options: BaseImageOptions,
): Promise<string> =>
  makeForRelease(release, options, (made) => makeBaseImage(engine, baseRecipe(made), options));

async function makeBaseImage(
  engine: EngineApi,
  recipe: BaseRecipe,
  options: BaseImageOptions,
): Promise<string> {
  const name = baseImageName(recipe);
  if (await hasImage(engine, name)) return name;
  if (hostRelease() !== undefined && process.getuid?.() === 0 && installed('mmdebstrap')) {
    const archive = await makeArchive(recipe, aptSettings(recipe.release), options);
    options.report('importing the machine image into the engine');
    await importArchive(engine, archive, name);
  } else {
    options.report(`building the machine image FROM debian:${recipe.release}-slim`);
    await buildFromRegistry(engine, recipe, name);
  }
  return name;
}

export const hasImage = (engine: EngineApi, name: string): Promise<boolean> =>
  engine.json(z.unknown(), 'GET', `/images/${name}/json`).then(
    () => true,
    (error) => {
      if (error instanceof Terminal && error.status === 404) return false;
      throw error;
    },
  );

/** Makes the root file system with mmdebstrap, unless it lies in the cache; answers the tar file's path. */
async function makeArchive(recipe: BaseRecipe, apt: AptSettings, options: BaseImageOptions): Promise<string> {
  const archive = join(options.cache, `${baseImageName(recipe).replaceAll(/[/:]/g, '-')}.tar`);
  if (existsSync(archive)) return archive;
  mkdirSync(options.cache, { recursive: true });
  options.report(`making the machine image of Debian ${recipe.release} packages`);
  removeRests(options.cache, recipe.release);
  const unfinished = `${archive}.${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    await makeRoot(recipe, unfinished, apt, {
      line: progress(options.report),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    renameSync(unfinished, archive);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return archive;
}

/** Removes what killed processes have left unfinished, and archives of the release's recipes that are no longer ours. */
function removeRests(cache: string, release: string): void {
  const archives = new RegExp(`^berth-machine-base-${release}-.*\\.tar(?:\\.(\\d+).*)?$`);
  for (const name of readdirSync(cache)) {
    const [, unfinished] = archives.exec(name) ?? [undefined, 'other'];
    if (unfinished === 'other' || (unfinished !== undefined && existsSync(`/proc/${unfinished}`))) continue;
    rmSync(join(cache, name), { force: true });
  }
}

/** mmdebstrap says `I: extracting archives...`: its steps are ours. */
const progress = (report: (line: string) => void) => (line: string) => {
  const step = /^I: ((?:running apt-get update|downloading|extracting|installing|creating)[^.]*)/.exec(
    line,
  )?.[1];
  if (step !== undefined) report(`machine image: ${step}`);
};

/** https://docs.docker.com/reference/api/engine/version/v1.41/#operation/ImageCreate with `fromSrc=-`. */
async function importArchive(engine: EngineApi, archive: string, name: string): Promise<void> {
  const query = new URLSearchParams({ fromSrc: '-', ...repositoryAndTag(name) });
  await finish(await engine.stream('POST', `/images/create?${query}`, createReadStream(archive)));
}

/** Images of a registry have a policy-rc.d that keeps services from starting: machines start theirs. */
async function buildFromRegistry(engine: EngineApi, recipe: BaseRecipe, name: string): Promise<void> {
  const dockerfile = `FROM debian:${recipe.release}-slim
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${recipe.packages.join(' ')} \\
  && rm -f /usr/sbin/policy-rc.d
COPY customize /customize
RUN sh /customize && rm /customize
`;
  const context = await readAll(tarOf({ Dockerfile: dockerfile, customize: recipe.script }));
  await finish(await engine.stream('POST', `/build?${new URLSearchParams({ t: name })}`, context));
}

/** Reads the engine's report to its end; an error is a line in it, under status 200. */
export async function finish(report: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const line of jsonLines(report)) {
    const { error } = z.object({ error: z.string().optional() }).parse(line);
    if (error === undefined) continue;
    throw new Retryable({
      code: 'image-not-made',
      message: `The Docker engine could not make an image: ${error}`,
      remedy: 'See that the engine has room on its disk and reaches the registry that the message names.',
    });
  }
}

export const repositoryAndTag = (name: string): { repo: string; tag: string } => {
  const colon = name.lastIndexOf(':');
  return { repo: name.slice(0, colon), tag: name.slice(colon + 1) };
};
