import { z } from 'zod';
import { RepositoryName } from '../../model/image.ts';
import { SourceName } from '../../model/names.ts';
import { matchesPattern, NamePattern } from '../../model/pattern.ts';
import { namedAt, RegistryAddress } from '../../model/registry-address.ts';

/** What a user says of a source. */
export const SourceSettings = z.strictObject({
  /** Repositories below it are copies: `hub` is where `hub/library/nginx` lies. */
  prefix: RepositoryName,
  upstream: RegistryAddress,
  /** Before the names of the upstream's repositories. */
  path: RepositoryName.optional(),
  /** Minutes after which a tag is asked for anew; 0: at every pull. */
  freshness: z.number().min(0).max(43_200).default(60),
  /** Names of the upstream's repositories that may be fetched, as the upstream has them. */
  allow: z
    .array(NamePattern)
    .min(1)
    .max(100)
    .default(['**' as NamePattern]),
});
export type SourceSettings = z.infer<typeof SourceSettings>;

/** A registry whose repositories are mirrored below a prefix of ours. */
export const Source = SourceSettings.extend({
  name: SourceName,
  /** Whether there is a credential, which is sealed elsewhere. */
  hasCredential: z.boolean(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type Source = z.infer<typeof Source>;

/** The source that a repository is a copy of: the one with the longest prefix. */
export const sourceOf = (sources: readonly Source[], repository: RepositoryName): Source | undefined =>
  sources
    .filter(({ prefix }) => repository.startsWith(`${prefix}/`))
    .sort((a, b) => b.prefix.length - a.prefix.length)[0];

/** What the upstream calls a repository of ours that lies below the source's prefix. */
export function upstreamName({ prefix, path, upstream }: Source, repository: RepositoryName): string {
  const rest = repository.slice(prefix.length + 1);
  return path === undefined ? namedAt(upstream.url, rest) : `${path}/${rest}`;
}

/** What we call a repository of the upstream's; undefined if it does not lie where this source looks. */
export function mirroredName({ prefix, path }: Source, name: string): RepositoryName | undefined {
  const before = path === undefined ? '' : `${path}/`;
  if (!name.startsWith(before)) return undefined;
  return RepositoryName.safeParse(`${prefix}/${name.slice(before.length)}`).data;
}

export const allows = ({ allow }: Source, name: string): boolean =>
  allow.some((pattern) => matchesPattern(pattern, name));
