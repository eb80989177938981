import type { Command } from 'commander';
import { addInspect } from './machine/inspect.ts';
import { addList } from './machine/list.ts';

/** Puts the verbs together: each has a file in `machine/` and a line here. */
const verbs: readonly ((machine: Command) => void)[] = [addList, addInspect];

export function addMachines(program: Command): void {
  const machine = program
    .command('machine')
    .alias('machines')
    .description('virtual machines: Docker hosts made by hand, and those of pools');
  for (const add of verbs) add(machine);
}
