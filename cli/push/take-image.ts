import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { type Archive, openArchive } from './archive.ts';
import { exportImage, findEngine } from './engine.ts';

export interface Taken {
  readonly archive: Archive;
  readonly isFile: boolean;
  /** Removes what was written for it. */
  release(): Promise<void>;
}

/**
 * The files of an image: those of a tar or a layout's folder if `image` is a path, else from the local engine.
 * @param received told of bytes that came from the engine
 * @throws Failure of the engine or the archive
 */
export async function takeImage(
  image: string,
  from: {
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly cache: string;
    readonly signal: AbortSignal;
    readonly received: (bytes: number) => void;
  },
): Promise<Taken> {
  if (await isArchive(image))
    return { archive: await openArchive(image), isFile: true, release: async () => {} };
  // No name of an image begins so.
  if (/^[./]/.test(image))
    throw new Failure({
      code: 'archive-missing',
      message: `${image} is no file, and no folder of an OCI image layout.`,
      remedy: 'Name what docker save or podman save wrote, an image layout, or an image of the engine.',
      exitCode: exitCodes.usage,
    });
  const tar = await exportImage(findEngine(from.environment), image, from.signal);
  const folder = await mkdtemp(join(from.cache, 'image-'));
  const release = () => rm(folder, { recursive: true, force: true });
  try {
    const file = join(folder, 'image.tar');
    const counting = new Transform({
      transform(part: Buffer, _encoding, done) {
        from.received(part.length);
        done(null, part);
      },
    });
    await pipeline(tar, counting, createWriteStream(file, { mode: 0o600 }), { signal: from.signal });
    return { archive: await openArchive(file, image), isFile: false, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** A file, or a folder that is an image layout: a folder may have the name of an image. */
export async function isArchive(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    return found.isFile() || (await stat(join(path, 'oci-layout'))).isFile();
  } catch {
    return false;
  }
}
