import type { Finding } from '../../model/care-run.ts';
import type { Digest, RepositoryName } from '../../model/image.ts';
import type { Origin } from '../activity.ts';
import type { RegistryDeps } from '../call.ts';
import type { StepInput, StepResult } from '../care/step.ts';
import { RegistryError } from '../errors.ts';
import { listRepositories } from '../repository.ts';
import { removeManifest, removeTag } from '../trash/remove.ts';
import { decideRetention } from './decide.ts';
import { readFacts } from './facts.ts';

/** Tags and manifests after which a page ends, and repositories. */
const FACTS = 500;
const REPOSITORIES = 50;

/** Digests that services and jobs run or may go back to, by repository, each with what runs it. */
export type RunningImages = ReadonlyMap<RepositoryName, ReadonlyMap<Digest, string>>;

export interface RetainParts
  extends Pick<RegistryDeps, 'blobs' | 'tables' | 'policies' | 'recorder' | 'now' | 'onActivity' | 'report'> {
  readonly running: () => Promise<RunningImages>;
}

const ORIGIN: Origin = { actor: 'retention', method: 'RETENTION', host: 'registry' };

/** Applies the policies of the next repositories. The cursor is the last repository that was done. */
export async function retain(parts: RetainParts, { order, cursor }: StepInput): Promise<StepResult> {
  const running = await parts.running();
  const findings: Finding[] = [];
  let seen = 0;
  let visited = 0;
  for await (const { name } of listRepositories(parts.tables, cursor)) {
    if (order.repository !== undefined && name !== order.repository) continue;
    const done = await retainIn(parts, name, order.dryRun, running.get(name) ?? new Map());
    findings.push(...done.findings);
    seen += done.seen;
    visited += 1;
    if (seen >= FACTS || visited >= REPOSITORIES) return { cursor: name, findings };
  }
  return { cursor: undefined, findings };
}

/** Applies the policy of one repository. What changed since it was read is left for the next time. */
async function retainIn(
  parts: RetainParts,
  repository: RepositoryName,
  dryRun: boolean,
  running: ReadonlyMap<Digest, string>,
): Promise<{ readonly findings: readonly Finding[]; readonly seen: number }> {
  const { retention: rules, immutableTags } = await parts.policies.of(repository);
  if (rules.length === 0) return { findings: [], seen: 0 };
  const facts = await readFacts(parts, repository);
  const now = parts.now().getTime();
  const { tags, manifests } = decideRetention({ now, rules, immutableTags, running, ...facts });
  const tagEntries = new Map(facts.tags.map(({ tag, entry }) => [tag, entry]));
  const entries = new Map(facts.manifests.map(({ digest, entry }) => [digest, entry]));

  const images: Finding[] = [];
  /** Whether each manifest that is to go went, with all that points to it. */
  const went = new Map<Digest, boolean>();
  for (const { of, why, stays } of manifests) {
    const entry = entries.get(of.digest);
    if (stays || entry === undefined) continue;
    const removal = { origin: ORIGIN, etag: entry.etag };
    const isGone = dryRun || (await ifAllowed(() => removeManifest(parts, repository, of.digest, removal)));
    went.set(of.digest, isGone);
    const name = `${repository}@${of.digest}`;
    if (isGone) images.push({ what: 'image', name, bytes: entry.imageSize, why, goes: 'now' });
  }
  const removed: Finding[] = [];
  for (const { of, why, stays } of tags) {
    const entry = tagEntries.get(of.tag);
    if (stays || entry === undefined) continue;
    const removal = { origin: ORIGIN, etag: entry.etag };
    const isGone =
      went.get(of.digest) ??
      (dryRun || (await ifAllowed(() => removeTag(parts, repository, of.tag, removal))));
    if (isGone) removed.push({ what: 'tag', name: `${repository}:${of.tag}`, bytes: 0, why, goes: 'now' });
  }
  return { findings: [...removed, ...images], seen: facts.tags.length + facts.manifests.length };
}

/** A tag that became immutable meanwhile stays. */
async function ifAllowed(remove: () => Promise<boolean>): Promise<boolean> {
  try {
    return await remove();
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'DENIED') return false;
    throw error;
  }
}
