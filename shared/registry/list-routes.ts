import { Digest, type RepositoryName } from '../model/image.ts';
import type { Tables } from '../state/tables.ts';
import { isListed } from './access.ts';
import { type Call, type Handler, parseDigest } from './call.ts';
import { RegistryError } from './errors.ts';
import { listReferrers } from './referrers.ts';
import { hasRepository, listRepositories, listTags, type RepositoryEntry } from './repository.ts';
import { warning } from './warning.ts';

/** Entries of a page where the client does not say. */
const PAGE = 1000;
/** Descriptors of a page of referrers: with annotations, a page stays within a few MiB. */
const REFERRERS_PAGE = 200;

/** GET tags/list. */
export const readTags: Handler = async ({ tables }, call) => {
  const { repository, url } = call;
  const last = url.searchParams.get('last') ?? undefined;
  const { page, more } = await pageOf(listTags(tables, repository, last), sizeOf(call, PAGE));
  if (page.length === 0 && !(await hasRepository(tables, repository))) throw unknownName(repository);
  const tags = page.map(({ tag }) => tag);
  return listing({ name: repository, tags }, more ? nextOf(call, { last: tags.at(-1) }) : undefined);
};

/** GET _catalog: the repositories that the caller may pull from. */
export const readCatalog: Handler = async ({ tables }, call) => {
  const last = call.url.searchParams.get('last') ?? undefined;
  const { page, more } = await pageOf(listedRepositories(tables, call, last), sizeOf(call, PAGE));
  const repositories = page.map(({ name }) => name);
  return listing({ repositories }, more ? nextOf(call, { last: repositories.at(-1) }) : undefined);
};

async function* listedRepositories(
  tables: Tables,
  { caller }: Call,
  last: string | undefined,
): AsyncIterable<RepositoryEntry> {
  for await (const entry of listRepositories(tables, last))
    if (isListed(caller.access, entry.name)) yield entry;
}

/** GET referrers: an index, empty where nothing refers to the subject, which itself need not be there. */
export const readReferrers: Handler = async (deps, call) => {
  const subject = parseDigest(call.reference);
  const wanted = call.url.searchParams.get('artifactType');
  const after = Digest.safeParse(call.url.searchParams.get('last')).data;
  const stale = await deps.mirror?.referrers(deps, call.repository, subject);
  const referrers = listReferrers(deps, call.repository, subject, after);
  const { page, more } = await pageOf(referrers, REFERRERS_PAGE);
  const manifests = wanted === null ? page : page.filter(({ artifactType }) => artifactType === wanted);
  return listing(
    { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests },
    more ? nextOf(call, { last: page.at(-1)?.digest }) : undefined,
    {
      'content-type': 'application/vnd.oci.image.index.v1+json',
      ...(wanted === null ? {} : { 'oci-filters-applied': 'artifactType' }),
      ...warning(stale),
    },
  );
};

/** @throws RegistryError PAGINATION_NUMBER_INVALID */
function sizeOf({ url }: Call, otherwise: number): number {
  const text = url.searchParams.get('n');
  if (text === null) return otherwise;
  if (!/^\d{1,9}$/.test(text))
    throw new RegistryError('PAGINATION_NUMBER_INVALID', `n is a whole number of entries, not "${text}"`);
  return Math.min(Number(text), PAGE);
}

async function pageOf<T>(all: AsyncIterable<T>, size: number): Promise<{ page: T[]; more: boolean }> {
  const page: T[] = [];
  if (size === 0) return { page, more: false };
  for await (const entry of all) {
    if (page.length === size) return { page, more: true };
    page.push(entry);
  }
  return { page, more: false };
}

/** The same request, from after the last entry of this page: RFC 8288. */
function nextOf({ url }: Call, after: { last: string | undefined }): string {
  const next = new URLSearchParams(url.searchParams);
  if (after.last !== undefined) next.set('last', after.last);
  return `<${url.pathname}?${next.toString()}>; rel="next"`;
}

const listing = (body: object, link: string | undefined, headers: Record<string, string> = {}): Response =>
  Response.json(body, { headers: { ...headers, ...(link === undefined ? {} : { link }) } });

const unknownName = (repository: RepositoryName): RegistryError =>
  new RegistryError('NAME_UNKNOWN', `there is no repository ${repository}`, { detail: { name: repository } });
