import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../infra/local/machine-runtime/command.ts';
import { ensureEngine } from '../../infra/local/machine-runtime/engine.ts';
import { ownEngine } from '../../infra/local/machine-runtime/own-engine.ts';
import { forgetDataCentre } from '../../infra/local/supervisor/forget-data-centre.ts';
import { progress } from '../../infra/local/supervisor/progress.ts';
import { removeDataCentre } from '../../infra/local/supervisor/stop-machines.ts';
import { until } from './conditions.ts';
import type { Estate } from './custodian.ts';

const dockerHost = process.env['DOCKER_HOST'];

/** Removes what a killed test has left. */
export async function removeEstate(estate: Estate): Promise<void> {
  if (estate.kind === 'engine') await endEngine(estate);
  else if (estate.kind === 'machines') await removeMachines(estate);
  else {
    const silent = progress({ isTTY: false, columns: 80, color: false, write: () => {} }, Date.now);
    await forgetDataCentre(estate.directory, dockerHost, silent);
  }
  await rm(estate.directory, { recursive: true, force: true });
}

async function removeMachines({ id, directory }: Extract<Estate, { kind: 'machines' }>): Promise<void> {
  // It may have been killed before there was an engine, and none is started for this.
  if (!ownEngine({ id, directory }).recorded && !existsSync('/var/run/docker.sock')) return;
  const engine = await ensureEngine({ id, directory, dockerHost, report: () => {} });
  await removeDataCentre(engine, { id, directory, network: `berth-${id}` });
}

async function endEngine({ directory, bridge }: Extract<Estate, { kind: 'engine' }>): Promise<void> {
  const pidFile = join(directory, 'docker.pid');
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : undefined;
  if (pid !== undefined && runs(pid, pidFile)) {
    process.kill(pid, 'SIGTERM');
    await until('the engine has ended', () => !runs(pid, pidFile));
  }
  if (bridge !== undefined) await run('ip', ['link', 'delete', bridge]);
}

function runs(pid: number, argument: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(argument);
  } catch {
    return false;
  }
}
