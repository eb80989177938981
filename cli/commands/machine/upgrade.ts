import type { Command } from 'commander';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { type MachineSession, withMachines } from '../../machine/machine-session.ts';
import { runScript } from '../../machine/run-script.ts';
import { upgradeScript } from '../../machine/upgrade-script.ts';
import { harmless } from '../../output.ts';

export function addUpgrade(machine: Command): void {
  machine
    .command('upgrade')
    .description("brings the newest Docker of the machines' own distribution; containers go on meanwhile")
    .argument('<machines...>')
    .action((names: string[], _options, command: Command) =>
      withMachines(command, async (session) => {
        for (const name of new Set(names)) await upgrade(session, name);
      }),
    );
}

async function upgrade(session: MachineSession, name: string): Promise<void> {
  const { output } = session;
  const versions = new Map<string, string>();
  const { status } = await runScript(session, name, 'upgrade', upgradeScript, (_stream, line) => {
    const [, which, version] = /^berth-(before|after): (.*)$/.exec(line) ?? [];
    if (which === undefined || version === undefined) output.say(`${name}: ${harmless(line)}`);
    else versions.set(which, harmless(version));
  });
  if (status.state !== 'succeeded')
    throw new Failure({
      code: 'upgrade-failed',
      message: `${name} was not upgraded: ${'exitCode' in status && status.exitCode !== undefined ? `its package manager ended with ${status.exitCode}` : status.state}. What it says stands above.`,
      remedy: `Look at it: berth machine logs ${name}; berth machine ssh ${name}`,
      exitCode: exitCodes.failed,
    });
  const [before = 'unknown', after = 'unknown'] = ['before', 'after'].map((which) => versions.get(which));
  output.piece(
    { machine: name, before, after },
    before === after ? `${name} has the newest already: ${after}\n` : `${name}: ${before} → ${after}\n`,
  );
}
