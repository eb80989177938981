import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { installWhereNone } from '../infra/local/machine-runtime/engine.ts';

/**
 * `npm test` [-- <vitest arguments>]: every test, the end-to-end ones included; `--long` at the issues' full figures.
 * Prints its seed; TEST_SEED=<n> repeats it. The last line is `N passed, N failed`, with what was skipped.
 */
const given = process.argv.slice(2);
const long = given.includes('--long');
const rest = given.filter((argument) => argument !== '--long');
const seed = process.env['TEST_SEED'] ?? String(Math.floor(Math.random() * 2 ** 31));
const folder = mkdtempSync(join(tmpdir(), 'berth-test-'));

/**
 * The end-to-end tests wait for machines most of their time: the others run beside them. Full figures want the computer
 * for themselves, and so does who names tests.
 */
const groups: readonly (readonly string[])[] =
  long || rest.length > 0 ? [[]] : [['--project=unit', '--project=parts'], ['--project=e2e']];

console.log(`seed ${seed} (TEST_SEED=${seed} npm test repeats it)${long ? ', full figures' : ''}`);
// Which tests there are depends on what is installed: it is before any begins.
await installWhereNone(process.env['DOCKER_HOST'], console.log);

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { status: string; fullName: string }[];
  }[];
}

/** One run of vitest; what it prints is shown as it comes. */
async function run(projects: readonly string[], number: number) {
  const report = join(folder, `report-${number}.json`);
  const process_ = spawn(
    process.execPath,
    [
      resolve('node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...projects,
      ...rest,
    ],
    { stdio: 'inherit', env: { ...process.env, TEST_SEED: seed, ...(long ? { TEST_LONG: '1' } : {}) } },
  );
  const ended = await new Promise<number>((done) => process_.once('exit', (code) => done(code ?? 1)));
  return { ended, counts: JSON.parse(readFileSync(report, 'utf8')) as Report };
}

const runs = await Promise.all(groups.map(run));
rmSync(folder, { recursive: true, force: true });
const sum = (of: (one: (typeof runs)[number]) => number) => runs.reduce((total, one) => total + of(one), 0);
const skipped = runs.flatMap(({ counts }) =>
  counts.testResults.flatMap(({ assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'pending' || status === 'skipped')
      .map(({ fullName }) => fullName),
  ),
);
for (const name of skipped) console.log(`skipped: ${name}`);
const passed = sum(({ counts }) => counts.numPassedTests);
// A file that fails before its first test has no failed test of its own.
const failed = sum(({ counts, ended }) => Math.max(counts.numFailedTests, ended === 0 ? 0 : 1));
console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
process.exitCode = Math.max(...runs.map(({ ended }) => ended));
