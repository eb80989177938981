import type { Command } from 'commander';
import type { Machine } from '../../../shared/model/machine.ts';
import { addressOf, engineUrl } from '../../machine/machine-address.ts';
import { type MachineSession, withMachines } from '../../machine/machine-session.ts';

/** `ip`, `url` and `status`: one line a machine, in the order in which they were named. */
export function addAddress(machine: Command): void {
  const say = (verb: string, about: string, textOf: (found: Machine) => string) =>
    machine
      .command(verb)
      .description(about)
      .argument('<machines...>')
      .action((names: string[], _options, command: Command) =>
        withMachines(command, async (session: MachineSession) => {
          for (const name of names) {
            const text = textOf(await session.find(name));
            session.output.piece(text, `${text}\n`);
          }
        }),
      );
  say('ip', 'address at which machines are reached', addressOf);
  say('url', 'address of their engines, as in DOCKER_HOST', engineUrl);
  say('status', 'what state machines are in', ({ status }) => status.state);
}
