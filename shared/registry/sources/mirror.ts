import { Retryable, Terminal } from '../../model/errors.ts';
import { Digest, type RepositoryName, Tag } from '../../model/image.ts';
import { hostOfUrl, urlOfHost } from '../../model/registry-address.ts';
import { RegistryError } from '../errors.ts';
import { findTag } from '../repository.ts';
import { type Connection, connection } from '../upstream/connection.ts';
import { httpUpstream } from '../upstream/upstream.http.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { bringReferrers } from './bring-referrers.ts';
import type { Checks } from './checks.ts';
import { fetchBlob } from './fetch-blob.ts';
import { type MirrorDeps, type Mirrored, storedManifest, storeManifest } from './fetch-manifest.ts';
import { type Refreshed, refreshTag } from './refresh-tag.ts';
import { registryFault } from './registry-fault.ts';
import { SingleFlight } from './single-flight.ts';
import { allows, mirroredName, type Source, sourceOf, upstreamName } from './source.ts';
import type { SourceStore } from './source-store.ts';

/** Milliseconds that a request waits for a fetch: hosts end requests that are not answered after 230 s. */
const WAITS = 200_000;
/** Milliseconds for which a registry that failed is not asked again about tags that we have. */
const SPARED = 10_000;
/** Registries without a source that connections and tokens are kept of. */
const MOST_OPEN = 20;

/** What is fetched from other registries when it is asked for. All that is not below a source's prefix is left alone. */
export interface Mirror {
  sourceOf(repository: RepositoryName): Promise<Source | undefined>;
  /**
   * Brings a manifest, or a tag that is not fresh.
   * @returns why what is there is served though it is not fresh
   * @throws RegistryError if there is nothing to serve
   */
  manifest(deps: MirrorDeps, repository: RepositoryName, reference: string): Promise<string | undefined>;
  /** Brings a blob. @throws RegistryError */
  blob(deps: MirrorDeps, repository: RepositoryName, digest: Digest): Promise<void>;
  /** Brings what refers to a manifest, unless that was asked a while ago. @returns why what there is may not be all */
  referrers(deps: MirrorDeps, repository: RepositoryName, subject: Digest): Promise<string | undefined>;
  /** Asks upstream what a tag means by now. @returns undefined if the repository is no copy. @throws what Upstream throws */
  refresh(deps: MirrorDeps, repository: RepositoryName, tag: Tag): Promise<Refreshed | undefined>;
  /** The registry of a source, as its credential gives it. */
  upstream(source: Source): Promise<Upstream>;
  /** The source by which a repository of another registry is read, and what we call it; neither where none allows it. */
  through(
    host: string,
    name: string,
  ): Promise<{ readonly source: Source | undefined; readonly copy: RepositoryName | undefined }>;
  /** A registry as references name it: by a source's address and credential where one allows the repository, else without. */
  at(host: string, name: string): Promise<Upstream>;
}

export function mirror(
  sources: Pick<SourceStore, 'known' | 'credential'>,
  checks: Checks,
  connect: typeof connection = connection,
): Mirror {
  const connections = new Map<string, { readonly version: string; readonly made: Connection }>();
  const open = new Map<string, Connection>();
  const tags = new SingleFlight<Refreshed>();
  const manifests = new SingleFlight<void>();
  const blobs = new SingleFlight<number>();
  const spared = new Map<string, { readonly until: number; readonly error: Retryable }>();

  const upstream: Mirror['upstream'] = async (source) => {
    const kept = connections.get(source.name);
    if (kept?.version === source.updatedAt) return httpUpstream(kept.made);
    const credential = await sources.credential(source);
    const made = connect(source.upstream, { credential });
    kept?.made.close();
    connections.set(source.name, { version: source.updatedAt, made });
    return httpUpstream(made);
  };

  const mirroredBy = async (source: Source, repository: RepositoryName): Promise<Mirrored> => {
    const name = upstreamName(source, repository);
    if (!allows(source, name)) throw notAllowed(source, name);
    return { from: await upstream(source), name, repository, actor: `source/${source.name}` };
  };

  const refreshFrom = (
    deps: MirrorDeps,
    source: Source,
    repository: RepositoryName,
    tag: Tag,
  ): Promise<Refreshed> =>
    tags.run(`${repository}:${tag}`, async () =>
      refreshTag(deps, checks, await mirroredBy(source, repository), tag),
    );

  const findSource = async (repository: RepositoryName): Promise<Source | undefined> =>
    sourceOf(await sources.known(), repository);

  const byTag = async (
    deps: MirrorDeps,
    source: Source,
    repository: RepositoryName,
    tag: Tag,
  ): Promise<string | undefined> => {
    const now = deps.now().getTime();
    const [there, checked] = await Promise.all([
      findTag(deps.tables, repository, tag),
      checks.lastOf(repository, tag),
    ]);
    if (there !== undefined && isFresh(source, checked, deps.now())) return undefined;
    const pause = spared.get(source.name);
    if (there !== undefined && pause !== undefined && pause.until > now)
      return staleText(checked, pause.error);
    try {
      await within(refreshFrom(deps, source, repository, tag), WAITS);
      spared.delete(source.name);
      return undefined;
    } catch (error) {
      if (error instanceof Retryable)
        spared.set(source.name, { until: now + (error.afterMs ?? SPARED), error });
      if (there === undefined) throw error;
      if (!(error instanceof Retryable || error instanceof Terminal || error instanceof RegistryError))
        deps.report(error);
      return staleText(checked, error);
    }
  };

  const byDigest = async (
    deps: MirrorDeps,
    source: Source,
    repository: RepositoryName,
    digest: Digest,
  ): Promise<void> => {
    if ((await storedManifest(deps, repository, digest)) !== undefined) return;
    const fetched = manifests.run(`${repository}@${digest}`, async () => {
      const mirrored = await mirroredBy(source, repository);
      await storeManifest(deps, mirrored, await mirrored.from.manifest(mirrored.name, digest), undefined);
    });
    await within(fetched, WAITS);
  };

  const through: Mirror['through'] = async (host, name) => {
    for (const source of await sources.known()) {
      const copy = hostOfUrl(source.upstream.url) === host ? mirroredName(source, name) : undefined;
      if (copy !== undefined && allows(source, name)) return { source, copy };
    }
    return { source: undefined, copy: undefined };
  };

  return {
    sourceOf: findSource,
    upstream,
    through,
    async at(host, name) {
      const { source } = await through(host, name);
      if (source !== undefined) return upstream(source);
      const kept =
        open.get(host) ?? connect({ url: urlOfHost(host), plainHttp: false }, { allowPrivate: false });
      open.delete(host);
      open.set(host, kept);
      for (const [oldest, { close }] of open) {
        if (open.size <= MOST_OPEN) break;
        open.delete(oldest);
        close();
      }
      return httpUpstream(kept);
    },
    async manifest(deps, repository, reference) {
      const source = await findSource(repository);
      const tag = Tag.safeParse(reference).data;
      const digest = Digest.safeParse(reference).data;
      // What is neither is refused, in its own words, by who asks.
      if (source === undefined || (tag === undefined && digest === undefined)) return undefined;
      try {
        if (tag !== undefined) return await byTag(deps, source, repository, tag);
        if (digest !== undefined) await byDigest(deps, source, repository, digest);
        return undefined;
      } catch (error) {
        throw registryFault(error, 'MANIFEST_UNKNOWN');
      }
    },
    async blob(deps, repository, digest) {
      const source = await findSource(repository);
      if (source === undefined) return;
      try {
        const fetched = blobs.run(`${repository}@${digest}`, async () =>
          fetchBlob(deps, { ...(await mirroredBy(source, repository)), digest }),
        );
        await within(fetched, WAITS);
      } catch (error) {
        throw registryFault(error, 'BLOB_UNKNOWN');
      }
    },
    async referrers(deps, repository, subject) {
      const source = await findSource(repository);
      if (source === undefined) return undefined;
      const checked = await checks.lastOf(repository, subject);
      if (isFresh(source, checked, deps.now())) return undefined;
      const brought = manifests.run(`${repository}^${subject}`, async () => {
        const at = deps.now();
        await bringReferrers(deps, await mirroredBy(source, repository), subject);
        await checks.note(repository, subject, at);
      });
      try {
        await within(brought, WAITS);
        return undefined;
      } catch (error) {
        if (!(error instanceof Retryable || error instanceof Terminal || error instanceof RegistryError))
          throw error;
        return staleText(checked, error);
      }
    },
    async refresh(deps, repository, tag) {
      const source = await findSource(repository);
      return source && refreshFrom(deps, source, repository, tag);
    },
  };
}

const isFresh = ({ freshness }: Source, checked: Date | undefined, now: Date): boolean =>
  checked !== undefined && now.getTime() - checked.getTime() < freshness * 60_000;

/** In one line, as a header has it. */
const staleText = (checked: Date | undefined, error: unknown): string =>
  `the copy of ${checked?.toISOString() ?? 'an earlier day'} is served: ${error instanceof Error ? error.message : String(error)}`;

const notAllowed = ({ name, allow }: Source, repository: string): Terminal =>
  new Terminal({
    code: 'source-not-allowed',
    status: 403,
    message: `The source ${name} does not allow ${repository}: it allows ${allow.join(', ')}.`,
    remedy: `Whoever administers the registry can allow it: berth registry sources create ${name} --allow …`,
  });

/** The work goes on when its waiting ends. */
async function within<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLong(milliseconds)), milliseconds);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}

const tooLong = (milliseconds: number): Retryable =>
  new Retryable({
    code: 'fetch-takes-long',
    message: `It has been on its way for ${milliseconds / 1000} s, and still is.`,
    remedy: 'Ask again: what has arrived by then is not fetched again.',
  });
