import { z } from 'zod';
import type { Brand } from './brand.ts';
import { Terminal } from './errors.ts';

/** `sha256:<64 hex>` or `sha512:<128 hex>`. OCI image specification, descriptor, "Digests". */
export type Digest = Brand<string, 'Digest'>;
export const Digest = z
  .string()
  .regex(
    /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/,
    'expected sha256:<64 hex digits> or sha512:<128 hex digits>',
  )
  .transform((text) => text as Digest);

/** OCI Distribution 1.1, "Pulling manifests": `<name>`; at most 255 characters with us. */
export type RepositoryName = Brand<string, 'RepositoryName'>;
export const RepositoryName = z
  .string()
  .max(255)
  .regex(
    /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/,
    'expected lower-case path components',
  )
  .transform((text) => text as RepositoryName);

export type Tag = Brand<string, 'Tag'>;
export const Tag = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/,
    'expected at most 128 letters, digits, dots, underscores and hyphens',
  )
  .transform((text) => text as Tag);

/** What a user writes: a repository of Berth's registry with a tag or a digest. */
export interface ImageReference {
  readonly repository: RepositoryName;
  readonly tag: Tag | undefined;
  readonly digest: Digest | undefined;
}

/**
 * Parses `name`, `name:tag`, `name@digest` and `name:tag@digest`; without both, the tag is `latest`.
 * @throws Terminal `image-reference-invalid`
 */
export function parseImageReference(text: string): ImageReference {
  const match = /^(?<name>[^@:]+)(:(?<tag>[^@:]+))?(@(?<digest>.+))?$/.exec(text);
  const repository = RepositoryName.safeParse(match?.groups?.['name']);
  const digestText = match?.groups?.['digest'];
  const digest = digestText === undefined ? undefined : Digest.safeParse(digestText);
  const tagText = match?.groups?.['tag'] ?? (digestText === undefined ? 'latest' : undefined);
  const tag = tagText === undefined ? undefined : Tag.safeParse(tagText);
  if (!repository.success || digest?.success === false || tag?.success === false) {
    throw new Terminal({
      code: 'image-reference-invalid',
      message: `"${text}" is not an image reference: expected repository:tag or repository@sha256:…`,
      remedy: 'Write the repository as it lies in the registry, for example shop/web:1.4',
    });
  }
  return { repository: repository.data, tag: tag?.data, digest: digest?.data };
}
