import { z } from 'zod';
import { Digest } from '../../model/image.ts';

/** OCI image specification, "platform". */
const Platform = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
});

const Child = z.object({
  mediaType: z.string(),
  digest: Digest,
  size: z.number(),
  artifactType: z.string().optional(),
  platform: Platform.optional(),
});

const Layer = z.object({ mediaType: z.string(), digest: Digest, size: z.number() });

/** What of a manifest people look at; everything else stands in the manifest itself. */
const Shown = z.object({
  artifactType: z.string().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  config: z.object({ mediaType: z.string(), digest: Digest, size: z.number() }).optional(),
  layers: z.array(Layer).default([]),
  manifests: z.array(Child).default([]),
});
export type Shown = z.infer<typeof Shown>;

export const describeManifest = (manifest: unknown): Shown => Shown.parse(manifest);

/** `linux/arm64/v8`; undefined where an index says nothing. */
export const platformText = (platform: z.infer<typeof Platform> | undefined): string | undefined =>
  platform && [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');

/** Configurations of images that containers run: those of other artifacts say nothing that we know. */
export const isImageConfig = (mediaType: string): boolean =>
  mediaType === 'application/vnd.oci.image.config.v1+json' ||
  mediaType === 'application/vnd.docker.container.image.v1+json';

const strings = z.array(z.string()).nullish();

/** OCI image specification, "config": what is missing may be null too, as Docker writes it. */
const ImageConfig = z.object({
  created: z.string().nullish(),
  os: z.string().nullish(),
  architecture: z.string().nullish(),
  variant: z.string().nullish(),
  config: z
    .object({
      Entrypoint: strings,
      Cmd: strings,
      Env: strings,
      WorkingDir: z.string().nullish(),
      User: z.string().nullish(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
});

export const ConfigView = z.object({
  created: z.string().optional(),
  platform: z.string().optional(),
  entrypoint: z.array(z.string()),
  command: z.array(z.string()),
  /** Names alone: values may be secret, though they should not be in an image. */
  environment: z.array(z.string()),
  workingDirectory: z.string().optional(),
  user: z.string().optional(),
  ports: z.array(z.string()),
  labels: z.record(z.string(), z.string()),
});
export type ConfigView = z.infer<typeof ConfigView>;

/** @returns undefined if the document is no configuration of an image */
export function describeConfig(document: unknown): ConfigView | undefined {
  const parsed = ImageConfig.safeParse(document).data;
  if (parsed === undefined) return undefined;
  const { created, os, architecture, variant, config } = parsed;
  const platform = [os, architecture, variant].filter(Boolean).join('/');
  return {
    ...(created ? { created } : {}),
    ...(platform === '' ? {} : { platform }),
    entrypoint: config?.Entrypoint ?? [],
    command: config?.Cmd ?? [],
    environment: (config?.Env ?? []).map((entry) => entry.split('=')[0] ?? ''),
    ...(config?.WorkingDir ? { workingDirectory: config.WorkingDir } : {}),
    ...(config?.User ? { user: config.User } : {}),
    ports: Object.keys(config?.ExposedPorts ?? {}),
    labels: config?.Labels ?? {},
  };
}
