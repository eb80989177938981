import type { Command } from 'commander';
import { withMachines } from '../../machine/machine-session.ts';
import { legible, readConsole } from '../../machine/read-console.ts';

export function addConsole(machine: Command): void {
  machine
    .command('console')
    .description("what a machine's serial console said, also of one that never came")
    .argument('<machine>')
    .option('--raw', 'with control sequences, as it came')
    .action((name: string, { raw }: { raw?: boolean }, command: Command) =>
      withMachines(command, async (session) => {
        const text = await readConsole(session, name);
        session.output.data({ machine: name, console: text }, () =>
          raw === true ? text : legible(text).trimEnd(),
        );
      }),
    );
}
