import { z } from 'zod';
import { Digest } from '../model/image.ts';
import { RegistryError } from './errors.ts';

/** Largest manifest, bytes: what OCI Distribution asks registries to take. */
export const MANIFEST_LIMIT = 4 * 1024 * 1024;

const images = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;
const indexes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
] as const;
export const manifestMediaTypes = [...images, ...indexes];

/** OCI image specification, "descriptor": the fields that a registry uses. */
const Descriptor = z.object({
  mediaType: z.string(),
  digest: Digest,
  size: z.number().int().nonnegative(),
});
export type Descriptor = z.infer<typeof Descriptor>;

/**
 * Of many items the first that is wrong is told, and none after it is looked at: 4 MiB hold millions of wrong ones, and to tell
 * each would take minutes and gigabytes.
 */
const Descriptors = z.array(z.unknown()).transform((items, context): Descriptor[] => {
  const descriptors: Descriptor[] = [];
  for (const [index, item] of items.entries()) {
    const { data, error } = Descriptor.safeParse(item);
    if (error !== undefined) {
      for (const { message, path } of error.issues)
        context.addIssue({ code: 'custom', message, path: [index, ...path] });
      return z.NEVER;
    }
    descriptors.push(data);
  }
  return descriptors;
});
const Annotations = z.record(z.string(), z.unknown()).transform((given, context) => {
  const wrong = Object.entries(given).find(([, value]) => typeof value !== 'string');
  if (wrong === undefined) return given as Record<string, string>;
  context.addIssue({ code: 'custom', message: 'expected a string', path: [wrong[0]] });
  return z.NEVER;
});

const common = {
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  subject: Descriptor.optional(),
  annotations: Annotations.optional(),
};
// A document that is an image to one reader and an index to another is refused: CVE-2021-41190.
const Image = z.object({
  ...common,
  config: Descriptor,
  layers: Descriptors,
  manifests: z.undefined('an image manifest has no "manifests"').optional(),
});
const Index = z.object({
  ...common,
  manifests: Descriptors,
  config: z.undefined('an index has no "config"').optional(),
  layers: z.undefined('an index has no "layers"').optional(),
});

/** What a registry must know of a manifest. */
export interface ManifestFacts {
  readonly mediaType: string;
  /** Blobs that must be in the repository. */
  readonly blobs: readonly Descriptor[];
  /** Manifests that must be in the repository. */
  readonly manifests: readonly Descriptor[];
  readonly subject: Digest | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/** Layers that their publisher allows nobody to pass on lie elsewhere: OCI image specification, "layer", non-distributable. */
const mayBeElsewhere = (mediaType: string): boolean =>
  mediaType.startsWith('application/vnd.oci.image.layer.nondistributable.') ||
  mediaType === 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';

/**
 * @param contentType of the request; may be absent if the document names its media type
 * @throws RegistryError MANIFEST_INVALID with what is wrong and where
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): ManifestFacts {
  const document = parseJson(bytes);
  const named = z.object({ mediaType: z.string().optional() }).safeParse(document).data?.mediaType;
  const declared = contentType?.split(';')[0]?.trim().toLowerCase();
  if (named !== undefined && declared !== undefined && named !== declared)
    throw invalid(`the document says its media type is ${named}, the request says ${declared}`);
  const mediaType = declared ?? named;
  const schema = (images as readonly unknown[]).includes(mediaType)
    ? Image
    : (indexes as readonly unknown[]).includes(mediaType)
      ? Index
      : undefined;
  if (mediaType === undefined || schema === undefined)
    throw invalid(
      `media type ${mediaType ?? '(none)'} is no manifest; expected ${manifestMediaTypes.join(' or ')}`,
    );
  const parsed = schema.safeParse(document);
  if (!parsed.success)
    throw invalid(
      parsed.error.issues
        .map((issue) => `${issue.path.join('.') || 'document'}: ${issue.message}`)
        .join('; '),
    );
  const { subject, annotations } = parsed.data;
  const facts = { mediaType, subject: subject?.digest, annotations };
  if (parsed.data.manifests !== undefined)
    return { ...facts, artifactType: parsed.data.artifactType, blobs: [], manifests: parsed.data.manifests };
  const { config, layers, artifactType } = parsed.data;
  const blobs = [config, ...layers].filter((blob) => !mayBeElsewhere(blob.mediaType));
  return { ...facts, artifactType: artifactType || config.mediaType, blobs, manifests: [] };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(`the document is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const invalid = (message: string): RegistryError => new RegistryError('MANIFEST_INVALID', message);
