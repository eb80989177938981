import { z } from 'zod';
import { Digest } from '../../shared/model/image.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

export const manifestTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

const Descriptor = z.looseObject({ mediaType: z.string(), digest: Digest, size: z.number() });
const Platform = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() });
type Platform = z.infer<typeof Platform>;

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

export const platformOf = (platform: Platform | undefined): string | undefined =>
  platform && [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');

/** What an image's configuration says of its platform. */
export const OwnPlatform = Platform.partial();
type OwnPlatform = z.infer<typeof OwnPlatform>;

const textOf = ({ os, architecture, variant }: OwnPlatform): string =>
  [os, architecture, variant].filter(Boolean).join('/');

/** `linux/arm64` also means linux/arm64/v8; a configuration that says nothing is taken at its pusher's word. */
export const isFor = (own: OwnPlatform, platform: string): boolean =>
  own.os === undefined || own.architecture === undefined || `${textOf(own)}/`.startsWith(`${platform}/`);

/** One image that is of another platform than was asked for. */
export const otherPlatform = (archive: string, platform: string, own: OwnPlatform): Failure =>
  new Failure({
    code: 'platform-not-here',
    message: `${archive} has no ${platform}; it is an image for ${textOf(own)}.`,
    remedy: `Get it first: docker pull --platform ${platform}; or leave --platform out.`,
    exitCode: exitCodes.usage,
  });
