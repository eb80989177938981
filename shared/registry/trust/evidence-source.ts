import type { Digest, RepositoryName } from '../../model/image.ts';

/** Where the evidence of copies comes from, before it is read here. Of repositories that are no copies, nothing comes. */
export interface EvidenceSource {
  /** Makes manifests of signatures and attestations of `subject` part of the repository; not what they name. */
  bring(repository: RepositoryName, subject: Digest): Promise<void>;
  /** Makes a blob part of it. */
  content(repository: RepositoryName, digest: Digest): Promise<void>;
}
