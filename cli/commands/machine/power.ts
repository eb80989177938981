import type { Command } from 'commander';
import { restartMachine, startMachine, stopMachine } from '../../../shared/api/routes/by-hand.ts';
import { addressOf } from '../../machine/machine-address.ts';
import { ensureContext, withMachines } from '../../machine/machine-session.ts';
import { askAll } from '../../machine/power-verb.ts';
import { billedText } from '../../machine/price.ts';

interface Waiting {
  readonly wait: boolean;
}

const NO_WAIT = ['--no-wait', 'return when it was accepted'] as const;

export function addPower(machine: Command): void {
  machine
    .command('start')
    .description('starts machines that were stopped')
    .argument('<machines...>')
    .option(...NO_WAIT)
    .action((names: string[], { wait }: Waiting, command: Command) =>
      withMachines(command, (session) =>
        askAll(
          session,
          names,
          wait,
          (name) => session.client.call(startMachine, { params: { machine: name } }),
          async ({ machine: begun }, now) => {
            if (now !== undefined) await ensureContext(session, now);
            session.output.piece(
              now ?? begun,
              now === undefined ? `${begun.name} is starting\n` : `${now.name} runs at ${addressOf(now)}\n`,
            );
          },
        ),
      ),
    );
  machine
    .command('stop')
    .description('stops machines and gives their cores back; disk and public address are billed on')
    .argument('<machines...>')
    .option(...NO_WAIT)
    .action((names: string[], { wait }: Waiting, command: Command) =>
      withMachines(command, (session) =>
        askAll(
          session,
          names,
          wait,
          (name) => session.client.call(stopMachine, { params: { machine: name } }),
          ({ machine: begun, billed }, now) => {
            session.output.piece(
              { machine: now ?? begun, billed },
              `${begun.name} ${now === undefined ? 'is stopping' : 'is stopped'}. Still billed: ${billedText(billed)}\n`,
            );
          },
        ),
      ),
    );
  machine
    .command('restart')
    .description('restarts machines')
    .argument('<machines...>')
    .option('-f, --force', 'also one that carries replicas, which are away meanwhile')
    .option(...NO_WAIT)
    .action((names: string[], { wait, force }: Waiting & { force?: boolean }, command: Command) =>
      withMachines(command, (session) =>
        askAll(
          session,
          names,
          wait,
          (name) =>
            session.client.call(restartMachine, {
              params: { machine: name },
              query: { ...(force === true ? { force } : {}) },
            }),
          ({ machine: begun }, now) =>
            session.output.piece(
              now ?? begun,
              now === undefined
                ? `${begun.name} is restarting\n`
                : `${now.name} has restarted: ${addressOf(now)}\n`,
            ),
        ),
      ),
    );
}
