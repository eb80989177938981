import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startLoneRegistry } from '../test/support/lone-registry.ts';
import { startTestStorage, type TestStorage } from '../test/support/storage.ts';
import { reportOf } from './conformance/report.ts';
import { isConformant, type Results, resultsOf, totalOf } from './conformance/results.ts';
import { goVersion, type Suite, suites, type Target } from './conformance/suites.ts';

const USAGE = `npm run conformance:registry                            every edition of the suite that Go can get
npm run conformance:registry -- --source <checkout>     v1.1.1 from a checkout of the specification's repository
npm run conformance:registry -- --write                 writes docs/registry-conformance.md as well`;

/** Exit codes, as docs/registry-conformance.md has them. */
const PASSED = 0;
const FAILED = 1;
const MISUSED = 2;
const NO_GO = 3;
const NO_SUITE = 4;

function optionsOf(): { source: string | undefined; write: boolean } | undefined {
  try {
    const { values } = parseArgs({
      options: { source: { type: 'string' }, write: { type: 'boolean', default: false } },
    });
    return { source: values.source === undefined ? undefined : resolve(values.source), write: values.write };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return undefined;
  }
}

/** Builds what can be had. */
async function build(folder: string, source: string | undefined) {
  const built: { suite: Suite; program: string }[] = [];
  const missing: string[] = [];
  for (const suite of suites) {
    const program = join(folder, `conformance-${suite.name}`);
    try {
      await suite.build(program, source);
      built.push({ suite, program });
    } catch (error) {
      missing.push(suite.name);
      console.error(`${suite.name} cannot be built: ${(error as Error).message.trim()}`);
      if (suite.name === 'v1.1.1' && source === undefined)
        console.error('→ give a checkout of the specification at its tag v1.1.1: --source <folder>');
    }
  }
  return { built, missing };
}

async function run(suite: Suite, program: string, target: Target): Promise<Results> {
  const folder = `${program}-results`;
  await mkdir(folder);
  const child = spawn(program, [], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...suite.environment(target) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let shown = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
  const [code] = await once(child, 'close');
  const results = resultsOf(suite, await readFile(join(folder, suite.report), 'utf8').catch(() => ''));
  if (code !== 0 && results.failed.length === 0)
    throw new Error(`the suite ${suite.name} ended with ${code}:\n${shown}`);
  return results;
}

function show(results: Results): void {
  const { passed, failed, skipped } = totalOf(results);
  console.log(
    `\n${results.suite.name} (${results.suite.commit}): ${passed} passed, ${failed} failed, ${skipped} skipped`,
  );
  for (const part of results.parts)
    console.log(`  ${part.name}: ${part.passed} passed, ${part.failed} failed, ${part.skipped} skipped`);
  for (const name of results.failed) console.log(`  failed: ${name}`);
  for (const { name, reason } of results.skipped)
    console.log(`  skipped: ${name}\n    ${reason ?? 'no reason is known'}`);
}

async function main(): Promise<number> {
  const options = optionsOf();
  if (options === undefined) return MISUSED;
  const go = await goVersion();
  if (go === undefined) {
    console.error(
      'There is no Go on this computer, with which the conformance suite is built: nothing was run.',
    );
    return NO_GO;
  }
  const folder = await mkdtemp(join(tmpdir(), 'berth-conformance-'));
  let storage: TestStorage | undefined;
  try {
    const { built, missing } = await build(folder, options.source);
    if (built.length === 0) return NO_SUITE;
    storage = await startTestStorage();
    const registry = await startLoneRegistry(storage);
    const all: Results[] = [];
    for (const { suite, program } of built) {
      const results = await run(suite, program, { host: registry.host, password: registry.adminKey });
      show(results);
      all.push(results);
    }
    await registry.stop();
    const fromSource = options.source === undefined ? [] : ['v1.1.1'];
    if (options.write)
      await writeFile(
        resolve(import.meta.dirname, '../docs/registry-conformance.md'),
        reportOf(all, { go, missing, fromSource }),
      );
    const conformant = all.every(isConformant);
    console.log(
      `\n${conformant ? 'The registry conforms' : 'The registry does not conform'}${missing.length === 0 ? '' : `; not run: ${missing.join(', ')}`}.`,
    );
    return conformant ? PASSED : FAILED;
  } finally {
    await storage?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
// What a library may have left open must not keep a finished program.
process.exit();
