import { z } from 'zod';
import { Digest, RepositoryName, Tag } from '../../model/image.ts';
import { reference } from '../parameters.ts';
import { route } from '../route.ts';

const Config = z.object({
  created: z.string().optional(),
  /** `linux/arm64/v8`. */
  platform: z.string().optional(),
  entrypoint: z.array(z.string()),
  command: z.array(z.string()),
  /** Names of the variables, without their values. */
  environment: z.array(z.string()),
  workingDirectory: z.string().optional(),
  user: z.string().optional(),
  ports: z.array(z.string()),
  labels: z.record(z.string(), z.string()),
});

export const ImageDetails = z.object({
  repository: RepositoryName,
  digest: Digest,
  mediaType: z.string(),
  artifactType: z.string().optional(),
  /** Bytes of all that the image names, compressed. */
  size: z.number(),
  /** RFC 3339. */
  pushedAt: z.string(),
  /** Who pushed it last; absent where the audit trail does not reach back so far. */
  pushedBy: z
    .object({
      actor: z.string(),
      address: z.string().optional(),
      userAgent: z.string().optional(),
      at: z.string(),
    })
    .optional(),
  /** All that point to it now. */
  tags: z.array(Tag),
  annotations: z.record(z.string(), z.string()),
  /** Of an index: what it names. */
  manifests: z.array(
    z.object({
      digest: Digest,
      mediaType: z.string(),
      size: z.number(),
      platform: z.string().optional(),
      artifactType: z.string().optional(),
    }),
  ),
  /** Of an image that containers run. */
  config: Config.optional(),
  layers: z.array(z.object({ digest: Digest, mediaType: z.string(), size: z.number() })),
  /** Signatures, attestations and whatever else refers to it. */
  referrers: z.array(
    z.object({
      digest: Digest,
      mediaType: z.string(),
      artifactType: z.string().optional(),
      size: z.number(),
    }),
  ),
  /** The manifest itself. */
  manifest: z.unknown(),
});
export type ImageDetails = z.infer<typeof ImageDetails>;

export const getImage = route({
  name: 'get-image',
  method: 'GET',
  path: '/api/v1/images/details',
  permission: 'images.pull',
  summary: 'An image: its manifest, configuration, layers, tags, referrers, and who pushed it.',
  query: z.strictObject({ repository: RepositoryName, reference }),
  answer: ImageDetails,
});
