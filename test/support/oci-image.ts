import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Content {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Uint8Array;
}

export const sha256 = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export const content = (mediaType: string, bytes: Uint8Array): Content => ({
  mediaType,
  digest: sha256(bytes),
  bytes,
});
const json = (mediaType: string, value: unknown): Content =>
  content(mediaType, Buffer.from(JSON.stringify(value)));
export const descriptor = ({ mediaType, digest, bytes }: Content) => ({
  mediaType,
  digest,
  size: bytes.length,
});

/** An image that a registry takes, in OCI's or Docker's form. */
export interface TestImage {
  readonly blobs: readonly Content[];
  readonly manifest: Content;
}

const types = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar',
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const;

/** @param fields more of the manifest: subject, annotations, artifactType */
export function testImage(
  layers: readonly Uint8Array[],
  { form = 'oci', fields = {} }: { form?: keyof typeof types; fields?: object } = {},
): TestImage {
  const type = types[form];
  const layerBlobs = layers.map((bytes) => content(type.layer, bytes));
  const config = json(type.config, {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layerBlobs.map(({ digest }) => digest) },
  });
  const manifest = json(type.manifest, {
    schemaVersion: 2,
    mediaType: type.manifest,
    config: descriptor(config),
    layers: layerBlobs.map(descriptor),
    ...fields,
  });
  return { blobs: [config, ...layerBlobs], manifest };
}

export const testIndex = (images: readonly TestImage[], form: 'oci' | 'docker' = 'oci'): Content => {
  const mediaType =
    form === 'oci'
      ? 'application/vnd.oci.image.index.v1+json'
      : 'application/vnd.docker.distribution.manifest.list.v2+json';
  const manifests = images.map(({ manifest }, index) => ({
    ...descriptor(manifest),
    platform: { os: 'linux', architecture: ['amd64', 'arm64', 'riscv64'][index] },
  }));
  return json(mediaType, { schemaVersion: 2, mediaType, manifests });
};

/** Writes an OCI image layout: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
export async function writeLayout(
  directory: string,
  top: Content,
  contents: readonly Content[],
  tag?: string,
): Promise<void> {
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
  for (const { digest, bytes } of [top, ...contents])
    await writeFile(join(directory, 'blobs', ...digest.split(':')), bytes);
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const named = tag === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': tag } };
  const index = { schemaVersion: 2, manifests: [{ ...descriptor(top), ...named }] };
  await writeFile(join(directory, 'index.json'), JSON.stringify(index));
}
