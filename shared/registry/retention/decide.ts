import type { Digest, Tag } from '../../model/image.ts';
import { matchesPattern, type NamePattern } from '../../model/pattern.ts';
import type { Retention } from '../policy/policy.ts';
import { decideManifests } from './decide-manifests.ts';
import { relationsOf } from './relations.ts';

const DAY = 24 * 3600 * 1000;

export interface TagFact {
  readonly tag: Tag;
  readonly digest: Digest;
  /** Milliseconds. */
  readonly pushedAt: number;
}

export interface ManifestFact {
  readonly digest: Digest;
  readonly pushedAt: number;
  /** When an index relied on it last, milliseconds; 0 if none did. */
  readonly keptAt: number;
  /** Manifests that it names. */
  readonly children: readonly Digest[];
  /** What it refers to: it is a signature, an attestation or so. */
  readonly subject: Digest | undefined;
}

/** One repository as it is, and what is wanted of it. */
export interface RetentionCase {
  readonly now: number;
  readonly rules: readonly Retention[];
  readonly immutableTags: readonly NamePattern[];
  readonly tags: readonly TagFact[];
  readonly manifests: readonly ManifestFact[];
  /** Digests that something runs or may go back to, and what. */
  readonly running: ReadonlyMap<Digest, string>;
}

export interface Verdict<T> {
  readonly of: T;
  readonly stays: boolean;
  readonly why: string;
}

export interface Decision {
  readonly tags: readonly Verdict<TagFact>[];
  readonly manifests: readonly Verdict<ManifestFact>[];
}

/** What of a repository stays and what goes, each with its reason: first tags, then manifests by the tags that stay. */
export function decideRetention(given: RetentionCase): Decision {
  const relations = relationsOf(given.manifests, given.tags);
  const belongs = (of: TagFact): Digest | undefined =>
    immutableBy(given, of.tag) === undefined ? relations.subjectOf(of.tag) : undefined;
  const own = given.tags.filter((of) => belongs(of) === undefined);
  const rules = given.rules.filter(judgesTags).map((rule) => ({ rule, ranks: ranksOf(rule, own) }));
  const decided = own.map((of) => decideTag(given, rules, of));
  const manifests = decideManifests(given, relations, decided);
  const staying = new Set(manifests.filter(({ stays }) => stays).map(({ of }) => of.digest));
  const companions = given.tags.flatMap((of): Verdict<TagFact>[] => {
    const subject = belongs(of);
    if (subject === undefined) return [];
    const stays = staying.has(subject);
    return [{ of, stays, why: `it belongs to ${subject}, which ${stays ? 'stays' : 'goes'}` }];
  });
  return { tags: [...decided, ...companions], manifests };
}

const immutableBy = ({ immutableTags }: RetentionCase, tag: Tag): NamePattern | undefined =>
  immutableTags.find((pattern) => matchesPattern(pattern, tag));

interface RankedRule {
  readonly rule: Retention;
  /** Of the tags that it looks at: 1 is the newest. */
  readonly ranks: ReadonlyMap<Tag, number>;
}

function decideTag(given: RetentionCase, rules: readonly RankedRule[], of: TagFact): Verdict<TagFact> {
  const pattern = immutableBy(given, of.tag);
  if (pattern !== undefined) return { of, stays: true, why: `it is immutable (${pattern})` };
  const against: string[] = [];
  for (const { rule, ranks } of rules) {
    const rank = ranks.get(of.tag);
    if (rank === undefined) continue;
    const { keeps, why } = judge(given, rule, rank, of);
    if (keeps) return { of, stays: true, why };
    against.push(why);
  }
  if (against.length === 0) return { of, stays: true, why: 'no rule is about it' };
  return { of, stays: false, why: [...new Set(against)].join('; ') };
}

/** A rule that says nothing of tags lets all of them alone. */
const judgesTags = ({ keepLast, keepNewerThanDays, keepTags }: Retention): boolean =>
  keepLast !== undefined || keepNewerThanDays !== undefined || keepTags !== undefined;

const looksAt = ({ tags }: Retention, tag: Tag): boolean =>
  tags === undefined || tags.some((pattern) => matchesPattern(pattern, tag));

function judge(
  { now, running }: RetentionCase,
  rule: Retention,
  rank: number,
  of: TagFact,
): { readonly keeps: boolean; readonly why: string } {
  const against: string[] = [];
  const kept = rule.keepTags?.find((pattern) => matchesPattern(pattern, of.tag));
  if (kept !== undefined) return { keeps: true, why: `keepTags ${kept}` };
  if (rule.keepTags !== undefined) against.push(`not one of keepTags ${rule.keepTags.join(', ')}`);
  if (rule.keepLast !== undefined) {
    if (rank <= rule.keepLast) return { keeps: true, why: `number ${rank} of keepLast ${rule.keepLast}` };
    against.push(`number ${rank} with keepLast ${rule.keepLast}`);
  }
  if (rule.keepNewerThanDays !== undefined) {
    const days = (now - of.pushedAt) / DAY;
    const age = `pushed ${days.toFixed(1)} days ago with keepNewerThanDays ${rule.keepNewerThanDays}`;
    if (days < rule.keepNewerThanDays) return { keeps: true, why: age };
    against.push(age);
  }
  const user = rule.keepRunning ? running.get(of.digest) : undefined;
  if (user !== undefined) return { keeps: true, why: `${user} runs it` };
  return { keeps: false, why: against.join(', ') };
}

/** The newest first; tags pushed in the same moment are in the order of their names. */
function ranksOf(rule: Retention, tags: readonly TagFact[]): ReadonlyMap<Tag, number> {
  const looked = tags.filter(({ tag }) => looksAt(rule, tag));
  looked.sort((a, b) => b.pushedAt - a.pushedAt || (a.tag < b.tag ? -1 : 1));
  return new Map(looked.map(({ tag }, index) => [tag, index + 1]));
}
