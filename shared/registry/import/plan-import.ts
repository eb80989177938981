import { z } from 'zod';
import { Terminal } from '../../model/errors.ts';
import { Digest, Tag } from '../../model/image.ts';
import type { ImportOrder, ImportPlan } from '../../model/image-import.ts';
import { inParallel } from '../in-parallel.ts';
import type { ManifestFacts } from '../manifest.ts';
import { factsOf as parse } from '../sources/fetch-manifest.ts';
import { upstreamWrong } from '../upstream/faults.ts';
import type { ForeignManifest, Upstream } from '../upstream/upstream.ts';

/** What one import brings at most. */
const MOST_MANIFESTS = 500;
const MOST_BLOBS = 5_000;
/** Manifests that are read at once. */
const WIDTH = 4;
/** Endings of the tags under which cosign keeps what belongs to a digest, where a registry has no referrers. */
const COSIGN = ['sig', 'att', 'sbom'] as const;

/**
 * Reads the manifests that an image is made of.
 * @throws what Upstream throws; Terminal `platform-missing`, `import-too-large`
 */
export async function planImport(from: Upstream, order: ImportOrder): Promise<ImportPlan> {
  const { repository, tag, digest: wanted } = order.from;
  const found = await from.manifest(repository, wanted ?? tag ?? 'latest');
  const top = order.platform === undefined ? found : await ofPlatform(from, order, found);
  const plan = new Plan();
  const images = await addTree(from, repository, top, plan, order.to.tag);
  if (order.referrers) for (const digest of images) await addReferrers(from, repository, digest, plan);
  return plan.whole(top.digest);
}

class Plan {
  readonly #blobs = new Map<Digest, number>();
  readonly #manifests = new Map<string, { digest: Digest; tag?: Tag }>();

  has(digest: Digest): boolean {
    return this.#manifests.has(digest);
  }

  add(digest: Digest, facts: ManifestFacts, tag: Tag | undefined): void {
    for (const blob of facts.blobs) this.#blobs.set(blob.digest, blob.size);
    const key = this.has(digest) && tag !== undefined ? `${digest} ${tag}` : digest;
    this.#manifests.set(key, { digest, ...(tag === undefined ? {} : { tag }) });
    if (this.#manifests.size > MOST_MANIFESTS || this.#blobs.size > MOST_BLOBS)
      throw new Terminal({
        code: 'import-too-large',
        status: 422,
        message: `The image has more than ${MOST_MANIFESTS} manifests or ${MOST_BLOBS} blobs.`,
        remedy: 'Import one platform of it: --platform linux/amd64',
      });
  }

  whole(digest: Digest): ImportPlan {
    // Those of like size are brought side by side.
    const blobs = [...this.#blobs]
      .map(([name, size]) => ({ digest: name, size }))
      .sort((a, b) => b.size - a.size);
    return { digest, blobs, manifests: [...this.#manifests.values()] };
  }
}

/** Adds a manifest after all that it names. @returns the digests of what was added */
async function addTree(
  from: Upstream,
  repository: string,
  manifest: ForeignManifest,
  plan: Plan,
  tag: Tag | undefined,
): Promise<readonly Digest[]> {
  const facts = factsOf(from, repository, manifest);
  const children = new Map<Digest, ForeignManifest>();
  await inParallel(facts.manifests, WIDTH, async ({ digest }) => {
    if (!plan.has(digest)) children.set(digest, await from.manifest(repository, digest));
  });
  const added: Digest[] = [];
  for (const { digest } of facts.manifests) {
    const child = children.get(digest);
    if (child !== undefined && !plan.has(digest))
      added.push(...(await addTree(from, repository, child, plan, undefined)));
  }
  plan.add(manifest.digest, facts, tag);
  return [...added, manifest.digest];
}

/** What refers to a manifest, and what refers to that. */
async function addReferrers(from: Upstream, repository: string, subject: Digest, plan: Plan): Promise<void> {
  for (const { digest } of await from.referrers(repository, subject)) {
    if (plan.has(digest)) continue;
    await addTree(from, repository, await from.manifest(repository, digest), plan, undefined);
    await addReferrers(from, repository, digest, plan);
  }
  await inParallel(COSIGN, WIDTH, async (ending) => {
    const tag = Tag.parse(`${subject.replace(':', '-').slice(0, 120)}.${ending}`);
    const manifest = await ifThere(from.manifest(repository, tag));
    if (manifest !== undefined) await addTree(from, repository, manifest, plan, tag);
  });
}

const factsOf = (
  { host }: Upstream,
  repository: string,
  { bytes, mediaType, digest }: ForeignManifest,
): ManifestFacts => parse(bytes, mediaType, `${host}/${repository}@${digest}`);

async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Terminal && error.code === 'upstream-not-found') return undefined;
    throw error;
  }
}

const Platforms = z.object({
  manifests: z.array(
    z.object({
      digest: Digest,
      platform: z
        .object({ os: z.string(), architecture: z.string(), variant: z.string().optional() })
        .optional(),
    }),
  ),
});

/** The one image of an index; an image that is no index is its own. */
async function ofPlatform(
  from: Upstream,
  { from: { host, repository }, platform = '' }: ImportOrder,
  manifest: ForeignManifest,
): Promise<ForeignManifest> {
  if (factsOf(from, repository, manifest).manifests.length === 0) return manifest;
  const parsed = Platforms.safeParse(JSON.parse(new TextDecoder().decode(manifest.bytes)));
  if (!parsed.success)
    throw upstreamWrong(`${host}/${repository}@${manifest.digest}`, 'its platforms cannot be read');
  const known = parsed.data.manifests.flatMap(({ digest, platform: one }) =>
    one === undefined || one.os === 'unknown'
      ? []
      : [{ digest, name: [one.os, one.architecture, one.variant].filter(Boolean).join('/') }],
  );
  // linux/arm64 also means linux/arm64/v8, the only variant that it has.
  const found =
    known.find(({ name }) => name === platform) ?? known.find(({ name }) => name.startsWith(`${platform}/`));
  if (found !== undefined) return from.manifest(repository, found.digest);
  throw new Terminal({
    code: 'platform-missing',
    status: 404,
    message: `${host}/${repository} has no image for ${platform}; it has ${known.map(({ name }) => name).join(', ')}.`,
    remedy: 'Choose one of these, or import all of them: leave --platform out.',
  });
}
