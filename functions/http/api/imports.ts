import { createHash } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import * as df from 'durable-functions';
import { getImport, startImport } from '../../../shared/api/routes/imports.ts';
import { authoriseOn } from '../../../shared/auth/authorise.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import { foreignText, parseForeignReference } from '../../../shared/model/foreign-reference.ts';
import { Imported, ImportOrder, ImportProgress, importImage } from '../../../shared/model/image-import.ts';
import { sourceOf } from '../../../shared/registry/sources/source.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

export const start = endpoint(
  startImport,
  async ({ body, principal, request, context, services }) => {
    const from = parseForeignReference(body.from);
    const to = body.to ?? {
      repository: from.repository,
      ...(from.tag === undefined ? {} : { tag: from.tag }),
    };
    authoriseOn(principal, to.repository, 'push');
    const source = sourceOf(await services.sources.list(), to.repository);
    if (source !== undefined)
      throw new Terminal({
        code: 'repository-mirrored',
        status: 409,
        message: `${to.repository} is a copy that the source ${source.name} fetches.`,
        remedy: 'Import it under another name: --as team/name:tag',
      });
    // Whose credential is used: who may not pull through that source may not import by it either.
    const { copy } = await services.mirror.through(from.host, from.repository);
    if (copy !== undefined) authoriseOn(principal, copy, 'pull');
    const { host, repository, tag, digest } = from;
    const order: ImportOrder = {
      from: { host, repository, ...(digest === undefined ? { tag } : { digest }) },
      to,
      ...(body.platform === undefined ? {} : { platform: body.platform }),
      referrers: body.referrers,
      actor: principal?.id ?? 'anonymous',
    };
    const id = idOf(request, order);
    const client = df.getClient(context);
    try {
      await client.startNew(importImage.name, { instanceId: id, input: order });
    } catch (error) {
      // The same request again, while it goes on.
      if ((await client.getStatus(id).catch(() => undefined)) === undefined) throw error;
    }
    return { id, location: `/api/v1/images/imports/${id}` };
  },
  { durable: true },
);

export const get = endpoint(
  getImport,
  async ({ params, principal, context }) => {
    const unknown = notFound(
      'import',
      params.import,
      'Start one: berth images import docker.io/library/nginx:1.27',
    );
    const status = await df
      .getClient(context)
      .getStatus(params.import, { showInput: true })
      .catch(() => undefined);
    const order = ImportOrder.safeParse(status?.input).data;
    if (status === undefined || order === undefined) throw unknown;
    authoriseOn(principal, order.to.repository, 'pull');
    const progress = ImportProgress.safeParse(status.customStatus).data;
    const result = Imported.safeParse(status.output).data ?? endedBadly(String(status.runtimeStatus));
    return {
      id: params.import,
      from: foreignText({ tag: undefined, digest: undefined, ...order.from }),
      to: order.to,
      ...(progress === undefined ? {} : { progress }),
      ...(result === undefined ? {} : { result }),
    };
  },
  { durable: true },
);

function endedBadly(status: string): Imported | undefined {
  if (status !== 'Failed' && status !== 'Terminated' && status !== 'Canceled') return undefined;
  return {
    state: 'failed',
    code: 'import-ended',
    reason: `The import ended as ${status.toLowerCase()}.`,
    remedy: 'Import it again: what has arrived is not fetched again.',
  };
}

/** Who repeats a request gets the same import. */
function idOf(request: HttpRequest, order: ImportOrder): string {
  const key = request.headers.get('idempotency-key') ?? crypto.randomUUID();
  return `import-${createHash('sha256')
    .update(JSON.stringify([key, order]))
    .digest('hex')
    .slice(0, 40)}`;
}
