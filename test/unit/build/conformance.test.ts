import { expect, test } from 'vitest';
import { isConformant, resultsOf } from '../../../build/conformance/results.ts';
import { suites } from '../../../build/conformance/suites.ts';

const suite = suites.find(({ name }) => name === 'redesigned');
if (suite === undefined) throw new Error('there is no such suite');

const junit = (...tests: [name: string, status: string][]): string =>
  `<testsuites>${tests.map(([name, status]) => `<testcase name="OCI Conformance Test/${name}" time="0.1" status="${status}"></testcase>`).join('')}</testsuites>`;

test('tests are counted by part, and a skip with a known reason is no failure', () => {
  const results = resultsOf(
    suite,
    junit(
      ['image/push &amp; pull', 'passed'],
      ['image/head', 'passed'],
      ['sha256 blobs/range 500-0', 'skipped'],
    ),
  );
  expect(results.parts).toEqual([
    { name: 'Image', passed: 2, failed: 0, skipped: 0 },
    { name: 'Sha256 blobs', passed: 0, failed: 0, skipped: 1 },
  ]);
  expect(isConformant(results)).toBe(true);
});

test.each([
  ['a failure', junit(['image/push', 'passed'], ['image/pull', 'failed'])],
  ['an error', junit(['image/push', 'errored'])],
  ['a skip for no reason that is known', junit(['image/push', 'passed'], ['image/pull', 'skipped'])],
  ['a report without tests', '<testsuites></testsuites>'],
])('%s is not conformant', (_what, report) => {
  expect(isConformant(resultsOf(suite, report))).toBe(false);
});
