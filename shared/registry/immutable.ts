import { Terminal } from '../model/errors.ts';
import type { Digest, RepositoryName, Tag } from '../model/image.ts';
import { matchesPattern } from '../model/pattern.ts';
import { RegistryError } from './errors.ts';
import type { EffectivePolicy } from './policy/policy.ts';
import type { TagEntry } from './repository.ts';

/** The pattern by which a tag points to one digest for good; undefined if it may be moved. */
export const immutableBy = ({ immutableTags }: EffectivePolicy, tag: TagEntry['tag']) =>
  immutableTags.find((pattern) => matchesPattern(pattern, tag));

/**
 * @param entry the tag as it is
 * @param instead what may be done, in words
 * @throws RegistryError DENIED with status 409: clients show its sentence, and do not try again
 */
export function refuseIfImmutable(
  policy: EffectivePolicy,
  repository: RepositoryName,
  { tag, digest }: TagEntry,
  instead: string,
): void {
  const pattern = immutableBy(policy, tag);
  if (pattern === undefined) return;
  throw new RegistryError(
    'DENIED',
    `${repository}:${tag} is immutable and stays ${digest} (policy: immutableTags ${pattern}); ${instead}`,
    { status: 409, detail: { tag, digest, pattern } },
  );
}

/** A tag that would have to be moved, where only new ones are wanted. */
export const tagTaken = (repository: RepositoryName, tag: Tag, digest: Digest): Terminal =>
  new Terminal({
    code: 'tag-taken',
    status: 409,
    message: `${repository}:${tag} is there, and points to ${digest}.`,
    remedy:
      'Restore it by its digest (REPOSITORY@DIGEST), which leaves the tag alone, or move the tag with --force.',
  });
