import type { Digest, Tag } from '../../model/image.ts';
import type { ManifestFact, TagFact } from './decide.ts';

/** How the manifests of a repository depend on one another. */
export interface Relations {
  /**
   * The manifest that a tag such as `sha256-<hex>.sig` is a signature of, if the repository has it: so cosign stored what refers
   * to an image before there were referrers. https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
   */
  subjectOf(tag: Tag): Digest | undefined;
  /** What goes and stays with a manifest: the manifests that it names, and those that refer to it. */
  readonly named: ReadonlyMap<Digest, readonly Digest[]>;
  readonly referrers: ReadonlyMap<Digest, readonly Digest[]>;
  /** The other way: by which others a manifest stays. */
  readonly holders: ReadonlyMap<Digest, readonly Digest[]>;
}

export function relationsOf(manifests: readonly ManifestFact[], tags: readonly TagFact[]): Relations {
  const there = new Set<string>(manifests.map(({ digest }) => digest));
  const subjectOf = (tag: Tag): Digest | undefined => {
    const hex = /^sha256-(?<hex>[0-9a-f]{64})(\.[a-z]+)?$/.exec(tag)?.groups?.['hex'];
    const digest = `sha256:${hex}`;
    return there.has(digest) ? (digest as Digest) : undefined;
  };
  const holders = new Map<Digest, Digest[]>();
  const referrers = new Map<Digest, Digest[]>();
  const add = (map: Map<Digest, Digest[]>, key: Digest, value: Digest): void => {
    const all = map.get(key);
    if (all === undefined) map.set(key, [value]);
    else all.push(value);
  };
  const refer = (digest: Digest, subject: Digest | undefined): void => {
    if (subject === undefined || subject === digest || !there.has(subject)) return;
    add(referrers, subject, digest);
    add(holders, digest, subject);
  };
  for (const { digest, children, subject } of manifests) {
    for (const child of children) add(holders, child, digest);
    refer(digest, subject);
  }
  for (const { tag, digest } of tags) refer(digest, subjectOf(tag));
  return {
    subjectOf,
    named: new Map(manifests.map(({ digest, children }) => [digest, children])),
    referrers,
    holders,
  };
}
