import { copyImage, deleteImage, untagImage } from '../../../shared/api/routes/image-changes.ts';
import { authoriseOn } from '../../../shared/auth/authorise.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import type { Digest, RepositoryName, Tag } from '../../../shared/model/image.ts';
import * as images from '../../../shared/registry/images/copy-image.ts';
import { findImage } from '../../../shared/registry/images/find-image.ts';
import { indexesOf } from '../../../shared/registry/images/indexes.ts';
import { imageUsers } from '../../../shared/workloads/image-users.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { insideFor } from '../inside.ts';
import { tagsOf } from './image-details.ts';
import { referenceOf } from './image-reference.ts';
import { pullable } from './images.ts';

export const copy = endpoint(
  copyImage,
  async (call) => {
    const { from, to, referrers } = call.body;
    authoriseOn(call.principal, from.repository, 'pull');
    authoriseOn(call.principal, to.repository, 'push');
    const { blobs, tables } = call.services.registry;
    const { digest } = await findImage(tables, referenceOf(from), pullable(call.principal));
    const order = {
      from: { repository: from.repository, digest },
      to: { repository: to.repository, tag: to.tag },
      referrers,
    };
    return { digest, ...(await images.copyImage({ blobs, tables, inside: insideFor(call) }, order)) };
  },
  { durable: true },
);

export const untag = endpoint(
  untagImage,
  async (call) => {
    const { repository, tag } = call.query;
    const reference = { repository, tag, digest: undefined };
    const { digest } = await findImage(call.services.registry.tables, reference, pullable(call.principal));
    await insideFor(call).request('DELETE', `/v2/${repository}/manifests/${tag}`, {
      repositories: [repository],
    });
    return { repository, tag, digest };
  },
  { durable: true },
);

export const remove = endpoint(
  deleteImage,
  async (call) => {
    const { repository, reference, consent } = call.query;
    const { tables } = call.services.registry;
    const { digest } = await findImage(tables, referenceOf(call.query), pullable(call.principal));
    const tags = await tagsOf(tables, repository, digest);
    const reasons = consent ? [] : await reasonsAgainst(call.services, repository, digest);
    const others = tags.filter((tag) => tag !== reference);
    if (!consent && reference !== digest && others.length > 0)
      reasons.push(`${others.length === 1 ? 'the tag' : 'the tags'} ${others.join(', ')} would go too`);
    if (reasons.length > 0) throw needsConsent(repository, reference, reasons);
    await insideFor(call).request('DELETE', `/v2/${repository}/manifests/${digest}`, {
      repositories: [repository],
    });
    return { repository, digest, tags };
  },
  { durable: true },
);

/** What would no longer work without the manifest, in words. */
async function reasonsAgainst(
  { registry, stores, images: resolver }: Services,
  repository: RepositoryName,
  digest: Digest,
): Promise<string[]> {
  const indexes = await indexesOf(registry, repository, digest);
  const users = await imageUsers(stores, resolver, repository);
  const running = users.filter((user) => user.digest === digest || indexes.includes(user.digest));
  return [
    ...new Set(running.map(({ kind, name }) => `${kind} ${name} runs it`)),
    ...indexes.map((index) => `the index ${index} names it`),
  ];
}

const needsConsent = (
  repository: RepositoryName,
  reference: Tag | Digest,
  reasons: readonly string[],
): Terminal =>
  new Terminal({
    code: 'image-in-use',
    status: 409,
    message: `${repository}${reference.includes(':') ? '@' : ':'}${reference} is in use: ${reasons.join('; ')}.`,
    remedy: 'Delete it all the same with consent=true, or berth images delete --yes; nothing was deleted.',
  });
