import type { Command } from 'commander';
import type { MappedProject } from '../../shared/compose/map/conclude.ts';
import { addComposeOptions, type ComposeOptions, notesText, readCompose } from '../compose/read-compose.ts';
import { readOthers } from '../compose/read-others.ts';
import { takeFiles } from '../compose/take-files.ts';
import { applicationText } from '../compose/write-application.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { outputOf } from '../session.ts';

export const addImport = (program: Command): Command =>
  addComposeOptions(
    program
      .command('import')
      .description(
        'prints the berth.yaml that a compose file, an app of Marathon or a Procfile comes to; changes nothing',
      )
      .argument(
        '[files...]',
        'compose files, the later over the earlier; or one of the others; left out: the compose file that is here',
      ),
  ).action((named: readonly string[], options: ComposeOptions, command: Command) => {
    const output = outputOf(command);
    const [only = ''] = named;
    const other = named.length === 1 ? readOthers(only, options) : undefined;
    if (other !== undefined) return show(other, named, output);
    const { kind, files, isFound } = takeFiles(named);
    if (kind === 'berth')
      throw new Failure({
        code: 'nothing-to-import',
        message: `${files.join(', ')} is taken for a berth.yaml: expected a compose file, an app of Marathon or a Procfile.`,
        remedy: 'Deploy it: berth deploy; or, if it is a compose file, give it a name with compose in it.',
        exitCode: exitCodes.usage,
      });
    if (isFound && !output.json) output.say(`Taking ${files.join(' and ')}.`);
    show(readCompose(files, options), files, output);
  });

function show(mapped: MappedProject, files: readonly string[], output: Output): void {
  const services = Object.keys(mapped.application.services);
  output.data(mapped.application, () => applicationText(mapped, files).trimEnd());
  output.say(
    `${mapped.application.name}: ${services.length} ${services.length === 1 ? 'service' : 'services'} (${services.join(', ')}), ${mapped.builds.length} to be built, nothing refused${mapped.notes.length === 0 ? '.' : '; of keys that were left out:'}`,
  );
  for (const line of notesText(mapped)) output.say(line);
}
