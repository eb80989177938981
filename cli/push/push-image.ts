import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Digest } from '../../shared/model/image.ts';
import { bytesText } from '../output.ts';
import { type Compressed, type Compression, compress, digestOf } from './compress.ts';
import { ImageManifest, manifestTypes } from './manifest.ts';
import { compressedKey } from './memory-file.ts';
import type { Progress } from './progress.ts';
import type { Blob, LocalImage } from './read-image.ts';
import { bytesOf, type Region } from './region.ts';
import { putManifest } from './remote.ts';
import { type Turns, turns } from './turns.ts';
import { isThere, type UploadParts, uploadBlob } from './upload-blob.ts';

export interface PushParts extends UploadParts {
  readonly progress: Progress;
  readonly compression: Compression;
  /** Where compressed layers lie until they are pushed. */
  readonly cache: string;
}

export interface PushedBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly outcome: 'sent' | 'exists' | 'mounted';
}

export interface PushedImage {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly blobs: readonly PushedBlob[];
}

/** Layers that are compressed and sent at once. Compression is work for a whole processor core each. */
const LAYERS = 4;
const COMPRESSING = 2;

interface Work extends PushParts {
  readonly layers: Turns;
  readonly compressing: Turns;
  /** By digest or diff id: a layer that an image has twice is brought there once. */
  readonly going: Map<string, Promise<{ readonly descriptor: Descriptor; readonly blob: PushedBlob }>>;
  readonly spooled: Set<string>;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** Brings an image there, everything that it names before itself; the tag is set last. */
export async function pushImage(parts: PushParts, image: LocalImage, tag: string): Promise<PushedImage> {
  const spooled = new Set<string>();
  const work: Work = {
    ...parts,
    layers: turns(LAYERS),
    compressing: turns(COMPRESSING),
    going: new Map(),
    spooled,
  };
  const { digest, mediaType } = await pushAs(work, image, tag, true);
  for (const file of spooled) await rm(file, { force: true });
  await parts.memory.save();
  const blobs = await Promise.all(work.going.values());
  return { digest, mediaType, blobs: blobs.map(({ blob }) => blob) };
}

/** @param isTop may be made anew with compressed layers; what an index names is sent as it is, or it would be another */
async function pushAs(
  work: Work,
  image: LocalImage,
  tag: string | undefined,
  isTop: boolean,
): Promise<{ readonly digest: Digest; readonly mediaType: string }> {
  const { mediaType, bytes, digest } =
    image.kind === 'index' ? await pushIndex(work, image) : await pushParts(work, image, isTop);
  await putManifest(work.remote, tag ?? digest, mediaType, bytes);
  return { digest, mediaType };
}

/** The manifest to send. */
interface ToSend {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

const asItIs = async (manifest: NonNullable<LocalImage['manifest']>): Promise<ToSend> => ({
  mediaType: manifest.mediaType,
  digest: manifest.digest,
  bytes: await bytesOf(manifest.region),
});

async function pushIndex(work: Work, image: Extract<LocalImage, { kind: 'index' }>): Promise<ToSend> {
  for (const child of image.images) await pushAs(work, child, undefined, false);
  return asItIs(image.manifest);
}

async function pushParts(
  work: Work,
  image: Extract<LocalImage, { kind: 'image' }>,
  isTop: boolean,
): Promise<ToSend> {
  const isPlain = ({ mediaType }: Blob): boolean => /\.tar$/.test(mediaType);
  const before = image.manifest && (await imageManifestIn(image.manifest.region));
  const compresses =
    isTop &&
    work.compression !== 'none' &&
    image.layers.some(isPlain) &&
    // Layers that lie elsewhere would be lost.
    (before === undefined || before.layers.length === image.layers.length);
  const [config, ...layers] = await allOf([
    bring(work, 'configuration', image.config),
    ...image.layers.map((layer, index) => {
      const diffId = image.diffIds[index] ?? layer.digest;
      const name = `layer ${index + 1} of ${image.layers.length}`;
      return compresses && isPlain(layer) && diffId !== undefined
        ? bringCompressed(work, name, layer, diffId)
        : bring(work, name, layer);
    }),
  ]);
  if (config === undefined) throw new Error('an image has a configuration');
  if (image.manifest !== undefined && !compresses) return asItIs(image.manifest);
  const mediaType = image.manifest?.mediaType ?? manifestTypes.ociManifest;
  const manifest =
    before === undefined
      ? { schemaVersion: 2, mediaType, config, layers }
      : { ...before, layers: before.layers.map((layer, index) => ({ ...layer, ...layers[index] })) };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = Digest.parse(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  return { mediaType, digest, bytes };
}

const imageManifestIn = async (region: Region): Promise<ImageManifest> =>
  ImageManifest.parse(JSON.parse((await bytesOf(region)).toString('utf8')));

/** All results, or the first failure once all have ended: they share files and connections. */
async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

/** A blob as it is. */
function bring(work: Work, name: string, { region, digest: known, mediaType }: Blob): Promise<Descriptor> {
  const key = known ?? `${region.file}:${region.offset}`;
  return once(work, key, mediaType, () =>
    work.layers.take(async () => {
      const digest = known ?? (await digestOf(region));
      const line = work.progress.line(`${name}  ${digest.slice(7, 19)}`);
      const outcome = await uploadBlob(work, digest, region, line);
      return { digest, size: region.size, outcome };
    }),
  );
}

/** A layer, compressed: not even compressed where it is known what it becomes and that is there. */
function bringCompressed(work: Work, name: string, layer: Blob, diffId: Digest): Promise<Descriptor> {
  const compression = work.compression === 'zstd' ? 'zstd' : 'gzip';
  const mediaType = /docker/.test(layer.mediaType)
    ? `${layer.mediaType}.${compression}`
    : `${layer.mediaType}+${compression}`;
  return once(work, diffId, mediaType, () =>
    work.layers.take(async () => {
      const line = work.progress.line(`${name}  ${diffId.slice(7, 19)}`);
      const { compressed } = work.memory.memory;
      const key = compressedKey(diffId, compression);
      const before = compressed[key];
      const there = before === undefined ? 'missing' : await isThere(work, before.digest);
      if (before !== undefined && there !== 'missing') {
        line.end(there === 'exists' ? 'is there already' : 'mounted from another repository');
        return { ...before, outcome: there };
      }
      line.phase('compressing', layer.region.size);
      const made: Compressed = await work.compressing.take(() =>
        compress(layer.region, diffId, compression, join(work.cache, 'layers'), {
          done: (bytes) => line.add(bytes),
          signal: work.signal,
        }),
      );
      work.spooled.add(made.region.file);
      const { digest, region } = made;
      compressed[key] = { digest, size: region.size };
      await work.memory.save();
      return { digest, size: region.size, outcome: await uploadBlob(work, digest, region, line) };
    }),
  );
}

async function once(
  { going }: Work,
  key: string,
  mediaType: string,
  work: () => Promise<PushedBlob>,
): Promise<Descriptor> {
  const started =
    going.get(key) ??
    work().then((blob) => ({ blob, descriptor: { mediaType, digest: blob.digest, size: blob.size } }));
  going.set(key, started);
  const { descriptor } = await started;
  return { ...descriptor, mediaType };
}

/** `12 blobs: 3 sent, 8 there already, 1 mounted; 45.6 MB sent`. */
export function summaryOf({ blobs }: PushedImage): string {
  const of = (outcome: PushedBlob['outcome']) => blobs.filter((blob) => blob.outcome === outcome);
  const sent = of('sent');
  const counts = [
    [sent.length, 'sent'],
    [of('exists').length, 'there already'],
    [of('mounted').length, 'mounted'],
  ] as const;
  const words = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  const bytes = sent.reduce((sum, { size }) => sum + size, 0);
  return `${blobs.length} ${blobs.length === 1 ? 'blob' : 'blobs'}: ${words.join(', ')}; ${bytesText(bytes)} sent`;
}
