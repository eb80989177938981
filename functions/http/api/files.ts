import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { HttpResponse } from '@azure/functions';
import { getArchive, MOST_ARCHIVE, putArchive, statFile } from '../../../shared/api/routes/files.ts';
import type { ContainerAccess } from '../../../shared/docker/access.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import type { ServiceKey } from '../../../shared/model/service.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { bodyOf } from '../read-body.ts';
import { note } from './exec.ts';
import { replicaView } from './service-views.ts';
import { type Running, theReplica } from './the-replica.ts';

async function accessTo(
  services: Services,
  key: ServiceKey,
  name: string | undefined,
): Promise<{ replica: Running; access: ContainerAccess }> {
  const replica = await theReplica(services, key, name);
  const { machine, address } = replica;
  return { replica, access: await services.accessOf({ name: machine, address }) };
}

export const stat = endpoint(statFile, async ({ params, query, services }) => {
  const { replica, access } = await accessTo(services, params, query.replica);
  return { ...(await access.stat(replica.containerId, query.path)), replica: replicaView(replica).name };
});

export const get = endpoint(getArchive, async ({ params, query, principal, services }) => {
  const { replica, access } = await accessTo(services, params, query.replica);
  const archive = await access.getArchive(replica.containerId, query.path);
  const more = { path: query.path, direction: 'out' };
  await note(services, 'copy', crypto.randomUUID(), principal, params, replica, more);
  return new HttpResponse({
    body: Readable.toWeb(Readable.from(archive)) as ReadableStream,
    headers: { 'content-type': 'application/x-tar', 'cache-control': 'no-store' },
  });
});

export const put = endpoint(putArchive, async ({ params, query, principal, services, request }) => {
  const type = request.headers.get('content-type') ?? '';
  if (type !== 'application/x-tar')
    throw new Terminal({
      code: 'content-type-unknown',
      status: 415,
      message: `The body's content type is "${type}"; expected application/x-tar.`,
      remedy: 'Send a tar archive.',
    });
  const { replica, access } = await accessTo(services, params, query.replica);
  const more = { path: query.path, direction: 'in' };
  await note(services, 'copy', crypto.randomUUID(), principal, params, replica, more);
  await access.putArchive(replica.containerId, query.path, bodyOf(request, MOST_ARCHIVE));
  return null;
});
