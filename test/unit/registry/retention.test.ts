import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Digest, Tag } from '../../../shared/model/image.ts';
import { NamePattern } from '../../../shared/model/pattern.ts';
import { Retention } from '../../../shared/registry/policy/policy.ts';
import { decideRetention, type RetentionCase } from '../../../shared/registry/retention/decide.ts';

const DAY = 24 * 3600 * 1000;
const NOW = Date.parse('2026-11-25T00:00:00Z');
const digest = (number: number): Digest => `sha256:${String(number).padStart(64, '0')}` as Digest;
const tag = (text: string, number: number, days: number) => ({
  tag: text as Tag,
  digest: digest(number),
  pushedAt: NOW - days * DAY,
});
const manifest = (
  number: number,
  days = 50,
  more: { children?: number[]; subject?: number; kept?: number } = {},
) => ({
  digest: digest(number),
  pushedAt: NOW - days * DAY,
  keptAt: more.kept === undefined ? 0 : NOW - more.kept * DAY,
  children: (more.children ?? []).map(digest),
  subject: more.subject === undefined ? undefined : digest(more.subject),
});

function decide(rules: readonly unknown[], over: Partial<RetentionCase>) {
  const decision = decideRetention({
    now: NOW,
    rules: rules.map((rule) => Retention.parse(rule)),
    immutableTags: [],
    tags: [],
    manifests: [],
    running: new Map(),
    ...over,
  });
  const going = <T>(verdicts: readonly { of: T; stays: boolean }[]) =>
    verdicts.filter(({ stays }) => !stays).map(({ of }) => of);
  return {
    decision,
    tags: going(decision.tags).map((of) => of.tag as string),
    manifests: going(decision.manifests).map((of) => Number(of.digest.slice(7))),
    why: (name: string) =>
      decision.tags.find(({ of }) => of.tag === name)?.why ??
      decision.manifests.find(({ of }) => of.digest === name)?.why,
  };
}

describe('tags', () => {
  const tags = [tag('a', 1, 1), tag('b', 2, 5), tag('c', 3, 30), tag('v1', 4, 300), tag('v2', 5, 400)];
  const manifests = [1, 2, 3, 4, 5].map((number) => manifest(number));
  const given = { tags, manifests };

  test('the newest stay, each with its reason; the images of the others go with them', () => {
    const { tags: gone, manifests: images, why } = decide([{ keepLast: 2 }], given);
    expect([gone, images]).toEqual([
      ['c', 'v1', 'v2'],
      [3, 4, 5],
    ]);
    expect(why('b')).toBe('number 2 of keepLast 2');
    expect(why('c')).toBe('number 3 with keepLast 2');
    expect(why(digest(3))).toBe('its tag c goes: number 3 with keepLast 2');
  });

  test.each([
    ['newer than', [{ keepNewerThanDays: 10 }], ['c', 'v1', 'v2']],
    ['by name', [{ keepTags: ['v*'] }], ['a', 'b', 'c']],
    ['any of these', [{ keepTags: ['v2'], keepLast: 1, keepNewerThanDays: 6 }], ['c', 'v1']],
    ['of some tags only', [{ tags: ['v*'], keepLast: 1 }], ['v2']],
    [
      'two rules, each for its own',
      [
        { tags: ['v*'], keepLast: 1 },
        { tags: ['c'], keepLast: 0 },
      ],
      ['c', 'v2'],
    ],
    [
      'a rule that keeps what another would not',
      [{ keepLast: 0 }, { keepTags: ['c'] }],
      ['a', 'b', 'v1', 'v2'],
    ],
    ['a rule about untagged manifests alone', [{ untaggedAfterDays: 1 }], []],
  ])('%s', (_what, rules, expected) => {
    expect(decide(rules, given).tags).toEqual(expected);
  });

  test('what runs stays, unless a rule says that this is no matter', () => {
    const running = new Map([[digest(5), 'revision 3 of dev.shop.web']]);
    const rule = { keepLast: 4 };
    expect(decide([rule], { ...given, running })).toMatchObject({ tags: [], manifests: [] });
    expect(decide([rule], { ...given, running }).why('v2')).toBe('revision 3 of dev.shop.web runs it');
    expect(decide([{ ...rule, keepRunning: false }], { ...given, running }).tags).toEqual(['v2']);
  });

  test('what is immutable stays', () => {
    const immutableTags = [NamePattern.parse('v*')];
    expect(decide([{ keepLast: 0 }], { ...given, immutableTags }).tags).toEqual(['a', 'b', 'c']);
  });

  test('an image with another tag that stays is not touched', () => {
    const both = { tags: [...tags, tag('stable', 5, 400)], manifests };
    expect(decide([{ tags: ['v*'], keepLast: 0 }], both)).toMatchObject({
      tags: ['v1', 'v2'],
      manifests: [4],
    });
  });
});

describe('manifests', () => {
  test('parts of an index and what refers to an image stay and go with it', () => {
    const given = {
      tags: [tag('new', 1, 1), tag('old', 2, 100)],
      manifests: [
        manifest(1, 1, { children: [10, 11] }),
        manifest(2, 100, { children: [11, 12] }),
        ...[10, 11, 12].map((number) => manifest(number, 100)),
        manifest(20, 100, { subject: 10 }),
        manifest(21, 100, { subject: 12 }),
        manifest(22, 100, { subject: 21 }),
      ],
    };
    const { manifests, why } = decide([{ keepLast: 1, untaggedAfterDays: 7 }], given);
    expect(manifests).toEqual([2, 12, 21, 22]);
    expect(why(digest(20))).toBe(`it refers to ${digest(10)}`);
    expect(why(digest(12))).toBe(`only ${digest(2)} kept it, which goes`);
  });

  test('untagged ones go after their time, if a rule says so; parts of an index that is coming do not', () => {
    const given = {
      manifests: [manifest(1, 8), manifest(2, 6), manifest(3, 8, { kept: 0.5 }), manifest(4, 0.01)],
    };
    expect(decide([{ untaggedAfterDays: 7 }], given).manifests).toEqual([1]);
    expect(decide([{ untaggedAfterDays: 0.001 }], given).manifests).toEqual([1, 2]);
    expect(decide([{ keepLast: 1 }], given).manifests).toEqual([]);
  });

  test('signatures that cosign keeps as tags go with the image that they are of', () => {
    const companion = (number: number) => tag(`${digest(number).replace(':', '-')}.sig`, number + 100, 100);
    const given = {
      tags: [tag('new', 1, 1), tag('old', 2, 50), companion(1), companion(2), companion(9)],
      manifests: [1, 2, 101, 102, 109].map((number) => manifest(number)),
    };
    const { tags, manifests } = decide([{ keepLast: 1 }], given);
    expect(tags).toEqual(['old', `${digest(9).replace(':', '-')}.sig`, `${digest(2).replace(':', '-')}.sig`]);
    expect(manifests).toEqual([2, 102, 109]);
  });
});

/** Repositories as they may be, with holes: children and subjects that are not there. */
const numbers = fc.integer({ min: 0, max: 12 });
const cases = fc.record({
  tags: fc.uniqueArray(
    fc.record({ name: fc.constantFrom('a', 'b', 'c', 'v1', 'v2', 'v3'), number: numbers, days: fc.nat(60) }),
    { selector: ({ name }) => name },
  ),
  manifests: fc.uniqueArray(
    fc.record({
      number: numbers,
      days: fc.nat(60),
      children: fc.array(numbers, { maxLength: 3 }),
      subject: fc.option(numbers, { nil: undefined }),
    }),
    { selector: ({ number }) => number },
  ),
  running: fc.array(numbers, { maxLength: 2 }),
  rule: fc.record(
    {
      tags: fc.constantFrom(['v*'], ['a', 'b']),
      keepLast: fc.nat(4),
      keepNewerThanDays: fc.integer({ min: 1, max: 50 }),
      keepTags: fc.constantFrom(['v1'], ['*1']),
      untaggedAfterDays: fc.integer({ min: 1, max: 50 }),
    },
    { requiredKeys: ['keepLast'] },
  ),
  immutable: fc.boolean(),
});

test('whatever a repository is: what stays is complete, runs and immutable tags stay, and going again removes nothing', () => {
  fc.assert(
    fc.property(cases, ({ tags, manifests, running, rule, immutable }) => {
      // Content names only content that was there before it: no manifest is part of itself.
      const given = {
        manifests: manifests.map(({ number, days, children, subject }) =>
          manifest(number, days, {
            children: children.filter((child) => child < number),
            ...(subject === undefined || subject >= number ? {} : { subject }),
          }),
        ),
        tags: tags
          .filter(({ number }) => manifests.some((one) => one.number === number))
          .map(({ name, number, days }) => tag(name, number, days)),
        running: new Map(running.map((number) => [digest(number), 'a service'])),
        immutableTags: immutable ? [NamePattern.parse('v2')] : [],
      };
      const { decision } = decide([rule], given);
      const staying = new Set(decision.manifests.filter(({ stays }) => stays).map(({ of }) => of.digest));
      expect(decision.manifests.map(({ of }) => of.digest).sort()).toEqual(
        given.manifests.map((of) => of.digest).sort(),
      );
      expect(decision.tags).toHaveLength(given.tags.length);
      for (const { of, why } of [...decision.tags, ...decision.manifests])
        expect(why, JSON.stringify(of)).not.toBe('');
      for (const { of, stays } of decision.tags) {
        if (stays) expect(staying).toContain(of.digest);
        if (immutable && of.tag === 'v2') expect(stays).toBe(true);
        if (rule.keepTags?.some((name) => name === of.tag)) expect(stays).toBe(true);
      }
      for (const { of, stays } of decision.manifests) {
        if (given.running.has(of.digest)) expect(stays).toBe(true);
        if (!stays) continue;
        for (const child of of.children)
          if (given.manifests.some((one) => one.digest === child)) expect(staying).toContain(child);
        for (const referrer of given.manifests)
          if (referrer.subject === of.digest) expect(staying).toContain(referrer.digest);
      }
      const again = decide([rule], {
        ...given,
        tags: decision.tags.filter(({ stays }) => stays).map(({ of }) => of),
        manifests: decision.manifests.filter(({ stays }) => stays).map(({ of }) => of),
      });
      expect([again.tags, again.manifests]).toEqual([[], []]);
    }),
  );
});
