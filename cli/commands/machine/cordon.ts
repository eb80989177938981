import type { Command } from 'commander';
import { cordonMachine, evictMachine, uncordonMachine } from '../../../shared/api/routes/cordon.ts';
import { type MachineSession, withMachines } from '../../machine/machine-session.ts';
import { watchDrain } from '../../machine/watch-drain.ts';
import { wholeSeconds } from '../../whole-number.ts';

interface Options {
  readonly reason?: string;
  readonly timeout?: number;
  readonly wait?: boolean;
}

const REASON = ['--reason <text>', 'what others read who look at the machine'] as const;

export function addCordon(machine: Command): void {
  machine
    .command('cordon')
    .description('lets nothing more be placed on machines of pools; what is there stays')
    .argument('<machines...>')
    .option(...REASON)
    .action((names: string[], { reason }: Options, command: Command) =>
      withMachines(command, (session) =>
        each(names, async (name) => {
          const body = { drain: false, ...(reason !== undefined && { reason }) };
          const now = (await session.client.call(cordonMachine, { params: { machine: name }, json: body }))
            .machine;
          session.output.piece(now, `${now.name} is cordoned by ${now.cordon?.by}\n`);
        }),
      ),
    );
  machine
    .command('uncordon')
    .description('lets replicas be placed on machines again')
    .argument('<machines...>')
    .action((names: string[], _options: object, command: Command) =>
      withMachines(command, (session) =>
        each(names, async (name) => {
          const now = (await session.client.call(uncordonMachine, { params: { machine: name } })).machine;
          session.output.piece(now, `${now.name} is open\n`);
        }),
      ),
    );
  machine
    .command('drain')
    .description('moves what is on machines of pools elsewhere: replicas start there before they end here')
    .argument('<machines...>')
    .option(
      '--timeout <seconds>',
      'runs of jobs may take so long to end, then they are stopped',
      wholeSeconds,
      3600,
    )
    .option('--wait', 'return when nothing is on them any more')
    .option(...REASON)
    .action((names: string[], options: Options, command: Command) =>
      withMachines(command, (session) => each(names, (name) => drain(session, name, options))),
    );
  machine
    .command('evict')
    .description('has Azure take back spot machines, as it may at any time')
    .argument('<machines...>')
    .action((names: string[], _options: object, command: Command) =>
      withMachines(command, (session) =>
        each(names, async (name) => {
          const now = (await session.client.call(evictMachine, { params: { machine: name } })).machine;
          session.output.piece(now, `${now.name} is taken back in 30 s\n`);
        }),
      ),
    );
}

async function drain(session: MachineSession, name: string, options: Options): Promise<void> {
  const { client, output } = session;
  const { reason, timeout, wait } = options;
  const body = {
    drain: true,
    ...(reason !== undefined && { reason }),
    ...(timeout !== undefined && { timeout }),
  };
  const { machine } = await client.call(cordonMachine, { params: { machine: name }, json: body });
  const now = wait === true ? await watchDrain(session, machine) : machine;
  output.piece(now, `${now.name} is ${wait === true ? 'drained' : 'being drained'}\n`);
}

/** Side by side; one that fails does not keep the others from it. @throws what the first that failed threw */
async function each(names: readonly string[], ask: (name: string) => Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled([...new Set(names)].map(ask));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
