import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { regenerateCertificate } from '../../../shared/api/routes/by-hand.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { presents } from '../../machine/await-engine.ts';
import { engineAt } from '../../machine/machine-address.ts';
import { certificateOf, type MachineSession, withMachines } from '../../machine/machine-session.ts';

/** Milliseconds: the agent asks every 10 s what there is to do. */
const PATIENCE = 90_000;
/** Milliseconds: an engine with many containers takes long to start. */
const RESTART = 60_000;

export function addRegenerateCerts(machine: Command): void {
  machine
    .command('regenerate-certs')
    .description("new certificates: of the machines' engines, which start again, and your own for docker")
    .argument('<machines...>')
    .action((names: string[], _options, command: Command) =>
      withMachines(command, async (session) => {
        await certificateOf(session, true);
        for (const name of new Set(names)) await regenerate(session, name);
      }),
    );
}

async function regenerate(session: MachineSession, name: string): Promise<void> {
  const { client, output, interrupted } = session;
  const before = (await session.find(name)).certificate?.serial;
  await client.call(regenerateCertificate, { params: { machine: name } });
  output.say(`${name} is told with its next report, every 10 s`);
  for (const begin = Date.now(); ; ) {
    const machine = await session.find(name);
    const { certificate, heardAt } = machine;
    if (certificate !== undefined && certificate.serial !== before) {
      const seen = await presents(engineAt(machine), certificate.serial, RESTART, interrupted);
      if (!seen) output.say(`its engine was not seen with it from here; it starts again with it`);
      output.piece(
        { machine: name, certificate },
        `${name} has a new certificate, good until ${certificate.notAfter}\n`,
      );
      return;
    }
    if (interrupted.aborted || Date.now() - begin > PATIENCE)
      throw new Failure({
        code: 'certificate-not-renewed',
        message: `${name} has not asked for its new certificate yet; it was last heard ${heardAt ?? 'never'}.`,
        remedy: `It does so when it reports again. See its agent: berth machine logs --of agent ${name}`,
        exitCode: exitCodes.failed,
      });
    await sleep(1000, undefined, { signal: interrupted }).catch(() => undefined);
  }
}
