import type { Digest, RepositoryName } from '../../model/image.ts';
import type { Tables } from '../../state/tables.ts';
import { hasBlob } from '../links.ts';
import type { InsideRegistry } from './inside.ts';

/**
 * Makes a blob of one repository part of another, as a client's mount does.
 * @returns false if the first does not have it
 */
export async function mountBlob(
  { tables, inside }: { readonly tables: Tables; readonly inside: InsideRegistry },
  digest: Digest,
  from: RepositoryName,
  to: RepositoryName,
): Promise<boolean> {
  if (!(await hasBlob(tables, from, digest))) return false;
  const answer = await inside.request('POST', `/v2/${to}/blobs/uploads/?mount=${digest}&from=${from}`, {
    repositories: [from, to],
  });
  if (answer.status === 201) return true;
  // It went away meanwhile, so an upload began instead.
  const upload = answer.headers.get('location');
  if (upload !== null) await inside.request('DELETE', upload as `/v2/${string}`, { repositories: [to] });
  return false;
}
