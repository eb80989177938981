import { z } from 'zod';
import { Digest } from '../../shared/model/image.ts';

export const manifestTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

const Descriptor = z.looseObject({ mediaType: z.string(), digest: Digest, size: z.number() });
const Platform = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() });

const Index = z.looseObject({
  mediaType: z.string().optional(),
  manifests: z.array(Descriptor.extend({ platform: Platform.optional() })),
});
export const ImageManifest = z.looseObject({
  mediaType: z.string().optional(),
  config: Descriptor,
  layers: z.array(Descriptor),
});

/** A manifest of an image layout, of OCI's or Docker's kind, with all that else stands in it. */
export const Manifest = z.union([Index, ImageManifest]);
export type ImageManifest = z.infer<typeof ImageManifest>;

export const isIndex = (manifest: z.infer<typeof Manifest>): manifest is z.infer<typeof Index> =>
  Array.isArray(manifest['manifests']);

export const platformOf = (platform: z.infer<typeof Platform> | undefined): string | undefined =>
  platform && [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
