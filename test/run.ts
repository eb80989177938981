import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * `npm test` [-- <vitest arguments>]: every test, the end-to-end ones included; `--long` at the issues' full figures.
 * Prints its seed; TEST_SEED=<n> repeats it. The last line is `N passed, N failed`, with what was skipped.
 */
const arguments_ = process.argv.slice(2);
const long = arguments_.includes('--long');
const rest = arguments_.filter((argument) => argument !== '--long');
const seed = process.env['TEST_SEED'] ?? String(Math.floor(Math.random() * 2 ** 31));
const folder = mkdtempSync(join(tmpdir(), 'berth-test-'));
const report = join(folder, 'report.json');

console.log(`seed ${seed} (TEST_SEED=${seed} npm test repeats it)${long ? ', full figures' : ''}`);
const { status } = spawnSync(
  process.execPath,
  [
    resolve('node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...rest,
  ],
  { stdio: 'inherit', env: { ...process.env, TEST_SEED: seed, ...(long ? { TEST_LONG: '1' } : {}) } },
);

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { status: string; fullName: string }[];
  }[];
}
const counts = JSON.parse(readFileSync(report, 'utf8')) as Report;
rmSync(folder, { recursive: true, force: true });
const skipped = counts.testResults.flatMap(({ assertionResults }) =>
  assertionResults
    .filter((result) => result.status === 'pending' || result.status === 'skipped')
    .map(({ fullName }) => fullName),
);
for (const name of skipped) console.log(`skipped: ${name}`);
// A file that fails before its first test has no failed test of its own.
const failed = Math.max(counts.numFailedTests, status === 0 ? 0 : 1);
console.log(`${counts.numPassedTests} passed, ${failed} failed, ${skipped.length} skipped`);
process.exitCode = status ?? 1;
