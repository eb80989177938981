import { HttpResponse } from '@azure/functions';
import { beginUpload, commitUpload } from '../../../shared/api/routes/direct-uploads.ts';
import { beginDirect } from '../../../shared/registry/direct/begin.ts';
import { LARGEST } from '../../../shared/registry/direct/blocks.ts';
import { commitDirect } from '../../../shared/registry/direct/commit.ts';
import { findDirect } from '../../../shared/registry/direct/session.ts';
import { RegistryError } from '../../../shared/registry/errors.ts';
import { refusalOf } from '../../../shared/registry/images/refusal.ts';
import { refuseCopy } from '../../../shared/registry/sources/own-only.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

export const begin = endpoint(beginUpload, async ({ body, services: { registry } }) => {
  const { repository, digest, size, id } = body;
  if (size > LARGEST)
    throw refusalOf({ code: 'SIZE_INVALID', message: `no blob has ${size} bytes`, status: 400 });
  const begun = await refusing(async () => {
    await refuseCopy(registry.mirror, repository);
    return beginDirect(registry, { repository, digest, size }, id);
  });
  return begun.status === 'open' ? { ...begun, missing: [...begun.missing] } : begun;
});

export const commit = endpoint(commitUpload, async ({ params, body, services: { registry } }) => {
  const upload = await findDirect(registry.blobs, params.upload);
  if (upload === undefined || upload.repository !== body.repository)
    throw notFound('upload', `${params.upload} in ${body.repository}`, 'Begin it anew: berth push');
  const committed = await refusing(() => commitDirect(registry, upload));
  return committed.status === 'done' ? committed : new HttpResponse({ status: 202, jsonBody: committed });
});

/** What the registry refuses becomes a problem of the API. */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof RegistryError ? refusalOf(error) : error;
  }
}
