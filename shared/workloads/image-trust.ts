import type { Digest, RepositoryName, Tag } from '../model/image.ts';
import type { EnvironmentName } from '../model/names.ts';

/** @param rules names the rules that were asked: it changes when they do */
export type TrustVerdict = { readonly rules: string } & (
  | { readonly verdict: 'accepted' }
  | { readonly verdict: 'refused'; readonly reasons: readonly string[] }
);

/** Whether images may be deployed, as the policies of their repositories say. */
export interface ImageTrust {
  judge(repository: RepositoryName, digest: Digest, environment: EnvironmentName): Promise<TrustVerdict>;
  /** The rules that `judge` would ask now, without asking them. */
  rules(repository: RepositoryName, environment: EnvironmentName): Promise<string>;
  /**
   * The image that a pushed manifest is a signature or an attestation of; undefined for all else, and for repositories of
   * which no policy demands any.
   */
  subjectOf(pushed: {
    readonly repository: RepositoryName;
    readonly tag?: Tag | undefined;
    /** What it names as its subject itself. */
    readonly subject?: Digest | undefined;
  }): Promise<Digest | undefined>;
}
