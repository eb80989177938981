import { z } from 'zod';
import { Digest } from '../../shared/model/image.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Archive } from './archive.ts';
import {
  isFor,
  isIndex,
  Manifest,
  manifestTypes,
  OwnPlatform,
  otherPlatform,
  platformOf,
} from './manifest.ts';
import { readDockerArchive } from './read-docker-archive.ts';
import type { Region } from './region.ts';

/** One image manifest with what it is made of, or an index with its images. */
export type LocalImage =
  | {
      readonly kind: 'image';
      /** As it lies there; undefined if there is none (docker save without a layout). */
      readonly manifest:
        | { readonly region: Region; readonly digest: Digest; readonly mediaType: string }
        | undefined;
      readonly config: Blob;
      readonly layers: readonly Blob[];
      /** Digests of the layers before compression, as the configuration has them. */
      readonly diffIds: readonly Digest[];
    }
  | {
      readonly kind: 'index';
      readonly manifest: { readonly region: Region; readonly digest: Digest; readonly mediaType: string };
      readonly images: readonly LocalImage[];
    };

export interface Blob {
  readonly region: Region;
  /** Unknown until it is read, where the archive does not say. */
  readonly digest: Digest | undefined;
  readonly mediaType: string;
}

export interface Wanted {
  /** Name or tag that the archive may hold, where it has several. */
  readonly name: string | undefined;
  /** `linux/arm64`: one of an index alone. */
  readonly platform: string | undefined;
}

const Layout = z.object({
  manifests: z
    .array(
      z.object({
        mediaType: z.string().optional(),
        digest: Digest,
        platform: z
          .object({ os: z.string(), architecture: z.string(), variant: z.string().optional() })
          .optional(),
        annotations: z.record(z.string(), z.string()).optional(),
      }),
    )
    .min(1),
});
type Entry = z.infer<typeof Layout>['manifests'][number];

const Config = OwnPlatform.extend({ rootfs: z.object({ diff_ids: z.array(Digest) }).optional() });

const pathOf = (digest: Digest): string => `blobs/${digest.replace(':', '/')}`;

/**
 * What an archive holds: an OCI image layout, or what docker save writes.
 * @throws Failure `archive-invalid`, `archive-incomplete`, `archive-ambiguous`, `platform-not-here`
 */
export async function readImage(archive: Archive, wanted: Wanted): Promise<LocalImage> {
  if (!archive.has('index.json')) return readDockerArchive(archive, wanted);
  const layout = Layout.safeParse(await archive.json('index.json'));
  if (!layout.success) throw failure('archive-invalid', `index.json in ${archive.name} names no manifest.`);
  return readEntry(archive, choose(archive, layout.data.manifests, wanted), wanted.platform);
}

/** `name:tag` in full or in part, as different tools write it. */
function choose(archive: Archive, entries: readonly Entry[], { name, platform }: Wanted): Entry {
  const only = (found: readonly Entry[]): Entry | undefined =>
    new Set(found.map(({ digest }) => digest)).size === 1 ? found[0] : undefined;
  const namesOf = ({ annotations = {} }: Entry): string[] =>
    ['io.containerd.image.name', 'org.opencontainers.image.ref.name']
      .map((key) => annotations[key])
      .filter((text) => text !== undefined);
  const tag = name?.split('/').at(-1)?.split(':')[1];
  const found =
    only(entries) ??
    only(
      entries.filter((entry) => namesOf(entry).some((text) => text === name || text.endsWith(`/${name}`))),
    ) ??
    only(entries.filter((entry) => tag !== undefined && namesOf(entry).includes(tag))) ??
    only(entries.filter((entry) => platform !== undefined && platformOf(entry.platform) === platform));
  if (found !== undefined) return found;
  throw failure(
    'archive-ambiguous',
    `${archive.name} holds several images: ${entries.map((entry) => namesOf(entry)[0] ?? entry.digest).join(', ')}.`,
    'Save one image alone, or say which with --platform.',
  );
}

async function readEntry(
  archive: Archive,
  { digest, mediaType: declared }: Pick<Entry, 'digest' | 'mediaType'>,
  platform: string | undefined,
): Promise<LocalImage> {
  const document = Manifest.safeParse(await archive.json(pathOf(digest)));
  if (!document.success)
    throw failure('archive-invalid', `${pathOf(digest)} in ${archive.name} is no manifest.`);
  const mediaType = document.data.mediaType ?? declared ?? manifestTypes.ociManifest;
  const manifest = { region: archive.region(pathOf(digest)), digest, mediaType };
  if (isIndex(document.data)) return readIndex(archive, manifest, document.data.manifests, platform);
  const blob = (of: { mediaType: string; digest: Digest }): Blob => ({
    region: archive.region(pathOf(of.digest)),
    digest: of.digest,
    mediaType: of.mediaType,
  });
  const { config, layers } = document.data;
  const isImage = /config\.v1\+json|container\.image\.v1\+json/.test(config.mediaType);
  const known = isImage ? Config.safeParse(await archive.json(pathOf(config.digest))).data : undefined;
  if (platform !== undefined && known !== undefined && !isFor(known, platform))
    throw otherPlatform(archive.name, platform, known);
  return {
    kind: 'image',
    manifest,
    config: blob(config),
    layers: layers
      .filter(({ digest: of, mediaType: type }) => archive.has(pathOf(of)) || !isForeign(type))
      .map(blob),
    diffIds: known?.rootfs?.diff_ids ?? [],
  };
}

/** Layers that their publisher lets nobody pass on; they need not be here. */
const isForeign = (mediaType: string): boolean => /nondistributable|foreign/.test(mediaType);

type Child = Extract<z.infer<typeof Manifest>, { manifests: unknown }>['manifests'][number];

/** All of an index if all of it is here; engines have the manifests of all platforms and the content of one. */
async function readIndex(
  archive: Archive,
  manifest: Extract<LocalImage, { kind: 'index' }>['manifest'],
  children: readonly Child[],
  platform: string | undefined,
): Promise<LocalImage> {
  const images: { child: Child; image: LocalImage }[] = [];
  for (const child of children) {
    if (!archive.has(pathOf(child.digest))) continue;
    try {
      images.push({ child, image: await readEntry(archive, child, undefined) });
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'archive-incomplete') throw error;
    }
  }
  const named = (child: Child): string => platformOf(child.platform) ?? child.digest;
  if (platform !== undefined) {
    const found = images.find(({ child }) => named(child) === platform);
    if (found !== undefined) return found.image;
    throw failure(
      'platform-not-here',
      `${archive.name} has no ${platform}; it has ${images.map(({ child }) => named(child)).join(', ') || 'none'}.`,
      `Get it first: docker pull --platform ${platform}`,
    );
  }
  if (images.length === children.length)
    return { kind: 'index', manifest, images: images.map(({ image }) => image) };
  // Attestations say `unknown/unknown`.
  const runnable = images.filter(({ child }) => child.platform?.os !== 'unknown');
  const [first, second] = runnable;
  if (first !== undefined && second === undefined) return first.image;
  throw failure(
    'archive-incomplete',
    `${archive.name} has a part of its platforms alone: ${runnable.map(({ child }) => named(child)).join(', ') || 'none'}.`,
    'Choose one with --platform, or get all of them first.',
  );
}

const failure = (
  code: string,
  message: string,
  remedy = 'Write it anew: docker save, podman save, or skopeo copy … oci:…',
): Failure => new Failure({ code, message, remedy, exitCode: exitCodes.usage });
