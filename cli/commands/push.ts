import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import type { ImageReference } from '../../shared/model/image.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { imageNamed, imageText } from '../image-name.ts';
import { painter } from '../output.ts';
import { cacheFolder } from '../push/cache-folder.ts';
import { type Compression, checkCompression } from '../push/compress.ts';
import { makeHttp } from '../push/http.ts';
import { compressedKey, type MemoryFile, memoryFile } from '../push/memory-file.ts';
import { makeProgress } from '../push/progress.ts';
import { pushImage, summaryOf } from '../push/push-image.ts';
import { type LocalImage, readImage } from '../push/read-image.ts';
import { makeRemote } from '../push/remote.ts';
import { isArchive, takeImage } from '../push/take-image.ts';
import { turns } from '../push/turns.ts';
import { placesOf } from '../push/upload-blob.ts';
import { type Session, withSession } from '../session.ts';

/** Blocks on their way at once, of all blobs together: each is 8 MiB that are held. */
const IN_FLIGHT = 8;

interface Options {
  readonly compress: Compression;
  readonly platform?: string;
  readonly indirect?: boolean;
}

export function addPush(program: Command): void {
  program
    .command('push')
    .description(
      'pushes an image of the local engine, or of a file, straight to the storage where that is possible',
    )
    .argument(
      '<image>',
      'name in Docker or Podman; or a file of docker save, or a file or folder of an OCI layout',
    )
    .argument('[reference]', 'repository:tag in the registry; the name itself if not said')
    .addOption(
      new Option('--compress <kind>', 'how layers that are not compressed are')
        .choices(['gzip', 'zstd', 'none'])
        .default('gzip'),
    )
    .option('--platform <os/architecture>', 'one platform of an image that has several')
    .option('--indirect', 'through the registry alone, never straight to the storage')
    .action((image: string, reference: string | undefined, options: Options, command: Command) =>
      withSession(command, (session) => push(session, image, reference, options)),
    );
}

async function push(
  session: Session,
  image: string,
  reference: string | undefined,
  options: Options,
): Promise<void> {
  const { client, output, interrupted } = session;
  checkCompression(options.compress);
  const target = await targetOf(session, image, reference);
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
      const name = taken.isFile ? reference : image;
      const found = await readImage(taken.archive, { name, platform: options.platform });
      reading.end('read');
      const registry = client.connection.url.host;
      const places = placesOf(memory, registry, digestsOf(found, memory, options.compress));
      const remote = makeRemote(http, client.connection, target.repository, places);
      const pushed = await pushImage(
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
          indirect: options.indirect === true,
          compression: options.compress,
        },
        found,
        target.tag ?? 'latest',
      );
      progress.stop();
      output.data(
        { reference: imageText(target), ...pushed },
        () => `${imageText(target)} is ${pushed.digest}: ${summaryOf(pushed)}`,
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

/** Where it goes: the reference, or the image's own name if that is a name in this registry. @throws Failure */
async function targetOf(
  session: Session,
  image: string,
  reference: string | undefined,
): Promise<ImageReference> {
  if (reference === undefined && (await isArchive(image)))
    throw missing(`"${image}" is a file, and so no name in the registry.`);
  const target = imageNamed(session, reference ?? image);
  const [first = '', ...rest] = target.repository.split('/');
  // `ghcr.io/acme/web`: of another registry, though it could be one of ours.
  if (reference === undefined && rest.length > 0 && (first.includes('.') || first === 'localhost'))
    throw missing(`"${image}" is a name in another registry.`);
  if (target.digest !== undefined)
    throw missing(`"${reference ?? image}" names a digest, and a push sets a tag.`);
  return target;
}

const missing = (message: string): Failure =>
  new Failure({
    code: 'reference-missing',
    message,
    remedy: 'Say where it goes: berth push IMAGE repository:tag',
    exitCode: exitCodes.usage,
  });

/** Digests that are known before anything is compressed, also of what layers became in earlier pushes. */
function digestsOf(image: LocalImage, memory: MemoryFile, compression: Compression): readonly string[] {
  if (image.kind === 'index') return image.images.flatMap((child) => digestsOf(child, memory, compression));
  const { compressed } = memory.memory;
  return [
    ...[...image.layers, image.config].map(({ digest }) => digest),
    ...image.diffIds.map((diffId) => compressed[compressedKey(diffId, compression)]?.digest),
  ].filter((digest) => digest !== undefined);
}
