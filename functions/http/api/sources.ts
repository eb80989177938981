import {
  deleteSource,
  getSource,
  listSources,
  putSource,
  type RefreshResult,
  refreshCopies,
  testSource,
} from '../../../shared/api/routes/sources.ts';
import { Retryable, Terminal } from '../../../shared/model/errors.ts';
import type { Tag } from '../../../shared/model/image.ts';
import type { SourceName } from '../../../shared/model/names.ts';
import { inParallel } from '../../../shared/registry/in-parallel.ts';
import { listTags } from '../../../shared/registry/repository.ts';
import { allows, type Source, sourceOf, upstreamName } from '../../../shared/registry/sources/source.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { registryOf } from '../registry-handler.ts';
import { notFound } from './not-found.ts';

/** Tags that are asked for at once. */
const WIDTH = 4;

async function sourceAt({ sources }: Services, name: SourceName): Promise<Source> {
  const found = await sources.get(name);
  if (found === undefined) throw notFound('source', name, 'List them: berth registry sources list');
  return found;
}

export const list = endpoint(listSources, async ({ services }) => ({
  sources: [...(await services.sources.list())],
}));

export const get = endpoint(getSource, ({ params, services }) => sourceAt(services, params.source));

export const put = endpoint(putSource, async ({ params, body, services }) => {
  const { credential, ...settings } = body;
  const others = (await services.sources.list()).filter(({ name }) => name !== params.source);
  const taken = others.find(({ prefix }) => prefix === settings.prefix);
  if (taken !== undefined)
    throw new Terminal({
      code: 'prefix-taken',
      status: 409,
      message: `The source ${taken.name} already mirrors below ${settings.prefix}/.`,
      remedy: 'Choose another prefix, or delete that source.',
    });
  return services.sources.put(params.source, settings, credential);
});

export const remove = endpoint(deleteSource, async ({ params, services }) => {
  await sourceAt(services, params.source);
  await services.sources.remove(params.source);
  return null;
});

export const test = endpoint(testSource, async ({ params, body, services }) => {
  const source = await sourceAt(services, params.source);
  try {
    const upstream = await services.mirror.upstream(source);
    if (body.repository === undefined) {
      await upstream.ping();
      return { outcome: 'answered' as const, host: upstream.host };
    }
    const name = upstreamName(source, body.repository);
    if (!body.repository.startsWith(`${source.prefix}/`) || !allows(source, name))
      throw new Terminal({
        code: 'source-not-allowed',
        message: `${body.repository} is not what the source ${source.name} mirrors below ${source.prefix}/.`,
        remedy: `Name a repository that begins with ${source.prefix}/ and that it allows.`,
      });
    const { digest } = await upstream.head(name, body.tag ?? 'latest');
    return { outcome: 'answered' as const, host: upstream.host, ...(digest === undefined ? {} : { digest }) };
  } catch (error) {
    return failed(error);
  }
});

export const refresh = endpoint(
  refreshCopies,
  async ({ body, services, context }) => {
    const { repository } = body;
    if (sourceOf(await services.sources.list(), repository) === undefined)
      throw new Terminal({
        code: 'not-mirrored',
        message: `${repository} is no copy of another registry's: no source mirrors it.`,
        remedy: 'Name a repository below a source’s prefix: berth registry sources list',
      });
    const deps = registryOf(services, context);
    const tags: Tag[] = [];
    if (body.tag !== undefined) tags.push(body.tag);
    else for await (const { tag } of listTags(services.tables, repository)) tags.push(tag);
    const results = new Map<Tag, RefreshResult>();
    await inParallel(tags, WIDTH, async (tag) => {
      try {
        const found = await services.mirror.refresh(deps, repository, tag);
        if (found === undefined) return;
        const { outcome, digest, before } = found;
        results.set(tag, { outcome, tag, digest, ...(before === undefined ? {} : { before }) });
      } catch (error) {
        results.set(tag, { ...failed(error), tag });
      }
    });
    return { results: tags.flatMap((tag) => results.get(tag) ?? []) };
  },
  { durable: true },
);

/** An answer, not a failure of ours. @throws what is no error of ours */
function failed(error: unknown): { outcome: 'failed'; code: string; message: string; remedy: string } {
  if (!(error instanceof Terminal || error instanceof Retryable)) throw error;
  const { code, message, remedy } = error;
  return { outcome: 'failed', code, message, remedy };
}
