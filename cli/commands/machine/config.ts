import { join } from 'node:path';
import type { Command } from 'commander';
import { engineUrl, mustRun } from '../../machine/machine-address.ts';
import { ensureContext, withMachines } from '../../machine/machine-session.ts';
import { posixQuoted } from '../../machine/shell-script.ts';

export function addConfig(machine: Command): void {
  machine
    .command('config')
    .description('options for docker: docker $(berth machine config NAME) ps')
    .argument('<machine>')
    .action((name: string, _options, command: Command) =>
      withMachines(command, async (session) => {
        const found = mustRun(await session.find(name));
        await ensureContext(session, found);
        const file = (kind: string) => posixQuoted(join(session.folder.certificates, `${kind}.pem`));
        const options = [
          '--tlsverify',
          `--tlscacert=${file('ca')}`,
          `--tlscert=${file('cert')}`,
          `--tlskey=${file('key')}`,
          `-H=${engineUrl(found)}`,
        ];
        session.output.data(options, () => options.join('\n'));
      }),
    );
}
