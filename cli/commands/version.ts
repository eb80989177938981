import type { Command } from 'commander';
import { version } from '../../shared/api/version.ts';
import { outputOf } from '../session.ts';

export const addVersion = (program: Command): Command =>
  program
    .command('version')
    .description('version of this command and of the Node.js that runs it')
    .action((_options, command: Command) =>
      outputOf(command).data(
        { berth: version, node: process.versions.node },
        () => `berth ${version} (Node.js ${process.versions.node})`,
      ),
    );
