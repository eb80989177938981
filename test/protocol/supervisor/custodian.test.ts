import 'reflect-metadata';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { until } from '../../support/conditions.ts';
import { hasEngine } from '../../support/real-engine.ts';

const support = pathToFileURL(join(import.meta.dirname, '../../support/docker-engine.ts')).href;

/** One that has ended and that nobody has waited for has no command line any more. */
function runs(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`).length > 0;
  } catch {
    return false;
  }
}

it.skipIf(!hasEngine)('what a test has started goes when the test is killed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-killed-'));
  const test = `
    const { startDockerEngine } = await import(${JSON.stringify(support)});
    await startDockerEngine(${JSON.stringify(directory)});
    console.log('up');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', test], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    const engine = Number(readFileSync(join(directory, 'docker.pid'), 'utf8'));
    expect(runs(engine)).toBe(true);
    child.kill('SIGKILL');
    await until('its folder is gone', () => !existsSync(directory));
    expect(runs(engine)).toBe(false);
  } finally {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
});
