import { basename } from 'node:path';
import type { ImageReference } from '../../shared/model/image.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { imageText } from '../image-name.ts';
import { painter } from '../output.ts';
import type { Session } from '../session.ts';
import { cacheFolder } from './cache-folder.ts';
import { type Compression, checkCompression } from './compress.ts';
import { makeHttp } from './http.ts';
import { compressedKey, type MemoryFile, memoryFile } from './memory-file.ts';
import { makeProgress } from './progress.ts';
import { type PushedImage, pushImage } from './push-image.ts';
import { type LocalImage, readImage } from './read-image.ts';
import { makeRemote } from './remote.ts';
import { takeImage } from './take-image.ts';
import { turns } from './turns.ts';
import { placesOf } from './upload-blob.ts';

/** Blocks on their way at once, of all blobs together: each is 8 MiB that are held. */
const IN_FLIGHT = 8;

export interface PushOptions {
  readonly compression: Compression;
  readonly platform?: string | undefined;
  readonly indirect: boolean;
  /** Which image of a file that holds several. */
  readonly name?: string | undefined;
}

/**
 * Pushes an image of the local engine, or of a file, and shows how it goes.
 * @throws Failure; `interrupted` at Ctrl-C
 */
export async function pushLocal(
  { client, interrupted }: Session,
  image: string,
  target: ImageReference,
  options: PushOptions,
): Promise<PushedImage> {
  checkCompression(options.compression);
  const cache = await cacheFolder(process.env);
  const progress = makeProgress(process.stderr, painter(process.stderr.isTTY === true, process.env));
  const http = makeHttp(client.connection.ca, interrupted);
  const memory = await memoryFile(cache);
  try {
    const reading = progress.line(basename(image));
    reading.phase('reading', 0);
    const taken = await takeImage(image, {
      environment: process.env,
      cache,
      signal: interrupted,
      received: (bytes) => reading.add(bytes),
    });
    try {
      const name = taken.isFile ? options.name : image;
      const found = await readImage(taken.archive, { name, platform: options.platform });
      reading.end('read');
      const registry = client.connection.url.host;
      const places = placesOf(memory, registry, digestsOf(found, memory, options.compression));
      const remote = makeRemote(http, client.connection, target.repository, places);
      return await pushImage(
        {
          ...{
            client,
            http,
            turns: turns(IN_FLIGHT),
            buffers: [],
            signal: interrupted,
            remote,
            memory,
            registry,
            progress,
            cache,
          },
          indirect: options.indirect,
          compression: options.compression,
        },
        found,
        target.tag ?? 'latest',
      );
    } finally {
      await taken.release();
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
    throw new Failure({
      code: 'interrupted',
      message: `The push of ${imageText(target)} was broken off.`,
      remedy: 'Run it again: it goes on with what is there.',
      exitCode: exitCodes.failed,
    });
  } finally {
    progress.stop();
    http.close();
  }
}

/** Digests that are known before anything is compressed, also of what layers became in earlier pushes. */
function digestsOf(image: LocalImage, memory: MemoryFile, compression: Compression): readonly string[] {
  if (image.kind === 'index') return image.images.flatMap((child) => digestsOf(child, memory, compression));
  const { compressed } = memory.memory;
  return [
    ...[...image.layers, image.config].map(({ digest }) => digest),
    ...image.diffIds.map((diffId) => compressed[compressedKey(diffId, compression)]?.digest),
  ].filter((digest) => digest !== undefined);
}
