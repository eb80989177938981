import type { Command } from 'commander';
import { addActive } from './machine/active.ts';
import { addAddress } from './machine/address.ts';
import { addAllowFrom } from './machine/allow-from.ts';
import { addConfig } from './machine/config.ts';
import { addConsole } from './machine/console.ts';
import { addCordon } from './machine/cordon.ts';
import { addCreate } from './machine/create.ts';
import { addEnv } from './machine/env.ts';
import { addImages } from './machine/images.ts';
import { addInspect } from './machine/inspect.ts';
import { addList } from './machine/list.ts';
import { addLogs } from './machine/logs.ts';
import { addOrphans } from './machine/orphans.ts';
import { addPower } from './machine/power.ts';
import { addRegenerateCerts } from './machine/regenerate-certs.ts';
import { addRemove } from './machine/remove.ts';
import { addRun } from './machine/run.ts';
import { addRuns } from './machine/runs.ts';
import { addScp } from './machine/scp.ts';
import { addSsh } from './machine/ssh.ts';
import { addUpgrade } from './machine/upgrade.ts';

/** Puts the verbs together: each has a file in `machine/` and a line here. */
const verbs: readonly ((machine: Command) => void)[] = [
  addList,
  addCreate,
  addInspect,
  addAddress,
  addEnv,
  addConfig,
  addActive,
  addSsh,
  addScp,
  addPower,
  addRemove,
  addAllowFrom,
  addRegenerateCerts,
  addUpgrade,
  addLogs,
  addConsole,
  addRun,
  addRuns,
  addCordon,
  addOrphans,
  addImages,
];

export function addMachines(program: Command): void {
  const machine = program
    .command('machine')
    .alias('machines')
    .description('virtual machines: Docker hosts made by hand, and those of pools')
    // So that `ssh NAME ls -t` is about ls.
    .enablePositionalOptions();
  for (const add of verbs) add(machine);
}
