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
    visited += 1;
    const { retention, immutableTags } = await parts.policies.of(name);
    if (retention.length > 0) {
      const facts = await readFacts(parts, name);
      seen += facts.tags.length + facts.manifests.length;
      const { tags, manifests } = decideRetention({
        now: parts.now().getTime(),
        rules: retention,
        immutableTags,
        running: running.get(name) ?? new Map(),
        ...facts,
      });
      const going = new Set(manifests.flatMap(({ of, stays }) => (stays ? [] : [of.digest])));
      const etags = new Map<string, string>([
        ...facts.tags.map(({ tag, entry }) => [tag, entry.etag] as const),
        ...facts.manifests.map(({ digest, entry }) => [digest, entry.etag] as const),
      ]);
      const bytes = new Map(facts.manifests.map(({ digest, entry }) => [digest, entry.imageSize]));
      for (const { of, why, stays } of tags) {
        if (stays) continue;
        // With its manifest goes all that points to it, in one transaction.
        const gone =
          order.dryRun ||
          going.has(of.digest) ||
          (await ifAllowed(() =>
            removeTag(parts, name, of.tag, { origin: ORIGIN, etag: etags.get(of.tag) ?? '' }),
          ));
        if (gone) findings.push({ what: 'tag', name: `${name}:${of.tag}`, bytes: 0, why, goes: 'now' });
      }
      for (const { of, why, stays } of manifests) {
        if (stays) continue;
        const removal = { origin: ORIGIN, etag: etags.get(of.digest) ?? '' };
        if (order.dryRun || (await ifAllowed(() => removeManifest(parts, name, of.digest, removal))))
          findings.push({
            what: 'image',
            name: `${name}@${of.digest}`,
            bytes: bytes.get(of.digest) ?? 0,
            why,
            goes: 'now',
          });
      }
    }
    if (seen >= FACTS || visited >= REPOSITORIES) return { cursor: name, findings };
  }
  return { cursor: undefined, findings };
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
