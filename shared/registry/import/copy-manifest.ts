import { Terminal } from '../../model/errors.ts';
import type { Digest, RepositoryName, Tag } from '../../model/image.ts';
import { RegistryError } from '../errors.ts';
import { parseManifest } from '../manifest.ts';
import { passOn } from '../pass-on.ts';
import { pushManifest } from '../push-manifest.ts';
import { findTag } from '../repository.ts';
import { type MirrorDeps, storedManifest } from '../sources/fetch-manifest.ts';
import type { Upstream } from '../upstream/upstream.ts';

/**
 * Brings one manifest, whose blobs are here: a push like any other, by who ordered it. One that is here already, under its
 * tag, is not pushed again.
 * @throws what Upstream throws; Terminal `push-refused` with the registry's reason
 */
export async function copyManifest(
  deps: MirrorDeps,
  from: Upstream,
  copy: {
    readonly name: string;
    readonly repository: RepositoryName;
    readonly digest: Digest;
    readonly tag: Tag | undefined;
    readonly actor: string;
  },
): Promise<void> {
  const { name, repository, digest, tag, actor } = copy;
  const [stored, current] = await Promise.all([
    storedManifest(deps, repository, digest),
    tag && findTag(deps.tables, repository, tag),
  ]);
  if (stored !== undefined && (tag === undefined || current?.digest === digest)) return;
  const { bytes, mediaType } = stored ?? (await from.manifest(name, digest));
  try {
    const left = await pushManifest(deps, {
      repository,
      digest,
      tags: tag === undefined ? [] : [tag],
      bytes,
      facts: parseManifest(bytes, mediaType),
      origin: { actor, method: 'import', host: from.host },
    });
    await passOn(deps, left);
  } catch (error) {
    if (error instanceof RegistryError && error.status < 500) throw refused(repository, error);
    throw error;
  }
}

/** What the registry refuses once it refuses again. */
export const refused = (repository: RepositoryName, error: RegistryError): Terminal =>
  new Terminal({
    code: 'push-refused',
    status: 422,
    message: `${repository} does not take it: ${error.code}: ${error.message}`,
    remedy: 'Choose another repository or tag, or have the policy changed: berth registry policy effective',
    cause: error,
  });
