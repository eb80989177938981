import type { Digest, RepositoryName } from '../../model/image.ts';
import { hasBlob } from '../links.ts';
import { overQuota, type QuotaParts } from './admit.ts';
import { readUse } from './use.ts';

/**
 * A request's body as the repository's quota lets it through: refused before its first byte if its Content-Length says enough,
 * else as soon as more came than there is room for. Without a quota it is the body itself.
 * @param received bytes of the upload before this body
 * @param digest of the whole, where the request names it: what the repository has already needs no room
 * @throws RegistryError DENIED; so does the body
 */
export async function boundedBody(
  { tables, policies, now }: QuotaParts,
  { headers, body }: Request,
  repository: RepositoryName,
  received: number,
  digest?: Digest,
): Promise<Request['body']> {
  const { quota } = await policies.of(repository);
  if (quota === undefined) return body;
  if (digest !== undefined && (await hasBlob(tables, repository, digest))) return body;
  const { bytes: used } = await readUse(tables, repository, {
    now: now(),
    changedAt: await policies.changedAt(),
  });
  let wanted = received + Number(headers.get('content-length') ?? 0);
  if (used + wanted > quota) throw overQuota(repository, quota, used, wanted);
  if (body === null) return null;
  wanted = received;
  return body.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(part, controller) {
        wanted += part.length;
        if (used + wanted > quota) throw overQuota(repository, quota, used, wanted);
        controller.enqueue(part);
      },
    }),
  );
}
