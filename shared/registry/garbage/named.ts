import { z } from 'zod';
import { Digest } from '../../model/image.ts';

const Named = z.object({ digest: Digest });

/** What a manifest of any kind names that is a blob: also layers that may lie elsewhere, in case they lie here. */
const Naming = z.looseObject({
  config: Named.optional(),
  layers: z.array(Named).default([]),
  /** OCI artifact manifests, which were proposed and taken back. */
  blobs: z.array(Named).default([]),
});

/** @throws if it is no manifest: then nobody can say what it names, and nothing may be removed */
export function blobsNamedBy(bytes: Uint8Array): readonly Digest[] {
  const { config, layers, blobs } = Naming.parse(JSON.parse(new TextDecoder().decode(bytes)));
  return [...(config === undefined ? [] : [config]), ...layers, ...blobs].map(({ digest }) => digest);
}
