import type { Digest, RepositoryName } from '../../model/image.ts';
import type { RegistryDeps } from '../call.ts';
import { keepContent } from '../content.ts';
import { keepLink } from '../links.ts';
import { fetchBlob } from '../sources/fetch-blob.ts';
import type { Upstream } from '../upstream/upstream.ts';

/** Brings one blob. @returns bytes that were fetched: 0 if the repository has it */
export async function copyBlob(
  deps: Pick<RegistryDeps, 'blobs' | 'tables' | 'policies' | 'now'>,
  from: Upstream,
  {
    name,
    repository,
    digest,
  }: { readonly name: string; readonly repository: RepositoryName; readonly digest: Digest },
): Promise<number> {
  const [linked, content] = await Promise.all([
    keepLink(deps.tables, repository, digest, deps.now()),
    keepContent(deps.blobs, digest, deps.now()),
  ]);
  return linked && content !== undefined ? 0 : fetchBlob(deps, { from, name, repository, digest });
}
