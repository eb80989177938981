import { createHash } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { Digest } from '../../shared/model/image.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { type Region, streamOf } from './region.ts';

export type Compression = 'gzip' | 'zstd' | 'none';

/** Node.js has it since 22.15 and 23.8. */
type ZstdMaker = () => Transform;
const zstd: ZstdMaker | undefined = (zlib as { createZstdCompress?: ZstdMaker }).createZstdCompress;

/** @throws Failure `compression-unknown` if this Node.js does not have it */
export function checkCompression(compression: Compression): void {
  if (compression !== 'zstd' || zstd !== undefined) return;
  throw new Failure({
    code: 'compression-unknown',
    message: `This Node.js (${process.version}) has no zstd.`,
    remedy: 'Use --compress gzip, or Node.js 22.15 or newer.',
    exitCode: exitCodes.usage,
  });
}

export interface Compressed {
  readonly digest: Digest;
  readonly region: Region;
}

/**
 * Compresses a layer into a file of `folder`, whose name comes from the layer: one that an interrupted push has written is
 * taken as it is. The same layer gives the same bytes, on one version of Node.js: no time and no name stand in them.
 * @param done told of bytes that were read
 */
export async function compress(
  layer: Region,
  diffId: string,
  compression: 'gzip' | 'zstd',
  folder: string,
  { done, signal }: { readonly done: (bytes: number) => void; readonly signal: AbortSignal },
): Promise<Compressed> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const name = `${diffId.replace(':', '-')}.${compression}`;
  const file = join(folder, name);
  if (existsSync(file)) {
    done(layer.size);
    return { digest: await digestOfFile(file), region: await whole(file) };
  }
  const hash = createHash('sha256');
  const counting = new Transform({
    transform(part: Buffer, _encoding, next) {
      done(part.length);
      next(null, part);
    },
  });
  const hashing = new Transform({
    transform(part: Buffer, _encoding, next) {
      hash.update(part);
      next(null, part);
    },
  });
  const temporary = `${file}.${process.pid}.part`;
  try {
    await pipeline(
      streamOf(layer),
      counting,
      compression === 'zstd' && zstd !== undefined ? zstd() : zlib.createGzip(),
      hashing,
      createWriteStream(temporary, { mode: 0o600 }),
      { signal },
    );
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return { digest: Digest.parse(`sha256:${hash.digest('hex')}`), region: await whole(file) };
}

const whole = async (file: string): Promise<Region> => ({ file, offset: 0, size: (await stat(file)).size });

async function digestOfFile(file: string): Promise<Digest> {
  return digestOf(await whole(file));
}

export async function digestOf(region: Region): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const part of streamOf(region)) hash.update(part);
  return Digest.parse(`sha256:${hash.digest('hex')}`);
}
