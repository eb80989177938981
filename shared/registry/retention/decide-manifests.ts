import type { Digest } from '../../model/image.ts';
import type { ManifestFact, RetentionCase, TagFact, Verdict } from './decide.ts';
import type { Relations } from './relations.ts';

const HOUR = 3600 * 1000;
const DAY = 24 * HOUR;
/** An index that is being pushed relies on manifests for less than this. Milliseconds. */
const RELIED_ON_MS = DAY;

/**
 * Which manifests stay. Those that a tag points to, that run, or that are untagged and may be so, stay by themselves; what they
 * name, and what refers to them, stays with them. The rest goes.
 */
export function decideManifests(
  given: RetentionCase,
  { named, referrers, holders }: Relations,
  tags: readonly Verdict<TagFact>[],
): readonly Verdict<ManifestFact>[] {
  const { manifests } = given;
  const by = new Map(manifests.map((manifest) => [manifest.digest, manifest]));
  const tagged = Map.groupBy(tags, ({ of }) => of.digest);
  const verdicts = new Map<Digest, Verdict<ManifestFact>>();
  /** Those that stay, in the order in which that was found; grows while it is walked. */
  const staying: ManifestFact[] = [];
  const stay = (digest: Digest, why: string): void => {
    const of = by.get(digest);
    if (of === undefined || verdicts.has(digest)) return;
    verdicts.set(digest, { of, stays: true, why });
    staying.push(of);
  };

  for (const { of, stays } of tags) if (stays) stay(of.digest, `the tag ${of.tag} points to it`);
  for (const of of manifests) {
    const why = staysByItself(given, of, {
      wasTagged: tagged.has(of.digest),
      isHeld: (holders.get(of.digest) ?? []).length > 0,
    });
    if (why !== undefined) stay(of.digest, why);
  }
  for (const { digest } of staying) {
    for (const child of named.get(digest) ?? []) stay(child, `${digest} names it`);
    for (const referrer of referrers.get(digest) ?? []) stay(referrer, `it refers to ${digest}`);
  }

  return manifests.map(
    (of) =>
      verdicts.get(of.digest) ?? {
        of,
        stays: false,
        why: whyItGoes(given, tagged.get(of.digest) ?? [], holders.get(of.digest) ?? [], of),
      },
  );
}

/** @returns why, undefined if it depends on others or goes */
function staysByItself(
  { now, rules, running }: RetentionCase,
  { digest, pushedAt, keptAt }: ManifestFact,
  { wasTagged, isHeld }: { wasTagged: boolean; isHeld: boolean },
): string | undefined {
  const user = rules.some((rule) => rule.keepRunning) ? running.get(digest) : undefined;
  if (user !== undefined) return `${user} runs it`;
  if (now - keptAt < RELIED_ON_MS) return 'it was pushed by digest, or an index named it, within a day';
  if (wasTagged || isHeld) return undefined;
  const limit = untaggedLimit(rules);
  if (limit === undefined) return 'no rule is about untagged manifests';
  const days = (now - pushedAt) / DAY;
  // Parts of an index come before it.
  return days < limit || now - pushedAt < HOUR
    ? `untagged, pushed ${days.toFixed(1)} days ago with untaggedAfterDays ${limit}`
    : undefined;
}

const untaggedLimit = (rules: RetentionCase['rules']): number | undefined => {
  const limits = rules.flatMap(({ untaggedAfterDays }) => untaggedAfterDays ?? []);
  return limits.length === 0 ? undefined : Math.min(...limits);
};

function whyItGoes(
  { now, rules }: RetentionCase,
  tags: readonly Verdict<TagFact>[],
  holders: readonly Digest[],
  { pushedAt }: ManifestFact,
): string {
  if (tags.length > 0) return tags.map(({ of, why }) => `its tag ${of.tag} goes: ${why}`).join('; ');
  if (holders.length > 0) return `only ${holders.join(', ')} kept it, which goes`;
  return `untagged, pushed ${((now - pushedAt) / DAY).toFixed(1)} days ago with untaggedAfterDays ${untaggedLimit(rules)}`;
}
