import type { Command } from 'commander';
import { addComposeOptions, type ComposeOptions, notesText, readCompose } from '../compose/read-compose.ts';
import { takeFiles } from '../compose/take-files.ts';
import { applicationText } from '../compose/write-application.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { outputOf } from '../session.ts';

export const addImport = (program: Command): Command =>
  addComposeOptions(
    program
      .command('import')
      .description('prints the berth.yaml that a compose file comes to; changes nothing')
      .argument('[files...]', 'compose files, the later over the earlier; left out: the one that is here'),
  ).action((named: readonly string[], options: ComposeOptions, command: Command) => {
    const output = outputOf(command);
    const { kind, files, isFound } = takeFiles(named);
    if (kind === 'berth')
      throw new Failure({
        code: 'nothing-to-import',
        message: `${files.join(', ')} is a berth.yaml already.`,
        remedy: 'Deploy it: berth deploy',
        exitCode: exitCodes.usage,
      });
    if (isFound) output.say(`Taking ${files.join(' and ')}.`);
    const mapped = readCompose(files, options);
    const services = Object.keys(mapped.application.services);
    output.data(mapped.application, () => applicationText(mapped, files).trimEnd());
    output.say(
      `${mapped.application.name}: ${services.length} ${services.length === 1 ? 'service' : 'services'} (${services.join(', ')}), ${mapped.builds.length} to be built, nothing refused${mapped.notes.length === 0 ? '.' : '; of keys that were left out:'}`,
    );
    for (const line of notesText(mapped)) output.say(line);
  });
