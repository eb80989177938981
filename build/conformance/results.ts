import type { Suite } from './suites.ts';

interface Test {
  readonly name: string;
  readonly status: string;
}

/** Counts of one part of a suite. */
export interface Part {
  readonly name: string;
  passed: number;
  failed: number;
  skipped: number;
}

export interface Results {
  readonly suite: Suite;
  readonly parts: readonly Part[];
  /** Names of tests that failed. */
  readonly failed: readonly string[];
  /** Names of tests that were skipped, with the reason; undefined where none is known, which counts as a failure. */
  readonly skipped: readonly { readonly name: string; readonly reason: string | undefined }[];
}

/** @param junit report with an attribute `status` at each test, as both editions write it */
export function resultsOf(suite: Suite, junit: string): Results {
  const parts = new Map<string, Part>();
  const failed: string[] = [];
  const skipped: Results['skipped'][number][] = [];
  for (const { name, status } of testsIn(junit)) {
    const title = suite.partOf(name);
    if (title === '') continue;
    const part = parts.get(title) ?? { name: title, passed: 0, failed: 0, skipped: 0 };
    parts.set(title, part);
    if (status === 'passed') part.passed += 1;
    else if (status === 'skipped') {
      part.skipped += 1;
      const known = Object.entries(suite.skips).find(([text]) => name.includes(text));
      skipped.push({ name, reason: known?.[1] });
    } else {
      part.failed += 1;
      failed.push(name);
    }
  }
  return { suite, parts: [...parts.values()], failed, skipped };
}

function* testsIn(junit: string): Iterable<Test> {
  for (const [, attributes = ''] of junit.matchAll(/<testcase\s([^>]*)>/g)) {
    const of = (name: string): string =>
      decode(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '');
    yield { name: of('name'), status: of('status') };
  }
}

const entities: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  quot: '"',
  amp: '&',
  '#34': '"',
  '#39': "'",
};
const decode = (text: string): string =>
  text.replace(/&(#?\w+);/g, (whole, name: string) => entities[name] ?? whole);

export const isConformant = ({ failed, skipped, parts }: Results): boolean =>
  parts.length > 0 && failed.length === 0 && skipped.every(({ reason }) => reason !== undefined);

export const totalOf = ({ parts }: Results): Part =>
  parts.reduce(
    (sum, { passed, failed, skipped }) => ({
      name: 'all',
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      skipped: sum.skipped + skipped,
    }),
    { name: 'all', passed: 0, failed: 0, skipped: 0 },
  );
