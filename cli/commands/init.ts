import { existsSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { anExample, fromDockerfile } from '../compose/begin-application.ts';
import { addComposeOptions, type ComposeOptions, notesText, readCompose } from '../compose/read-compose.ts';
import { readOthers } from '../compose/read-others.ts';
import { takeFiles } from '../compose/take-files.ts';
import { applicationText } from '../compose/write-application.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { readNamedText } from '../named-file.ts';
import type { Output } from '../output.ts';
import { outputOf } from '../session.ts';

const TARGET = 'berth.yaml';
const COMPOSE = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

export const addInit = (program: Command): Command =>
  addComposeOptions(
    program
      .command('init')
      .description('begins a berth.yaml: from a compose file or a Dockerfile, or an example')
      .argument(
        '[file]',
        'the compose file, Dockerfile, Procfile or app of Marathon; left out: a compose file or Dockerfile that is here',
      ),
  ).action((named: string | undefined, options: ComposeOptions, command: Command) => {
    const output = outputOf(command);
    refuseExisting();
    const file = named ?? [...COMPOSE, 'Dockerfile', 'Containerfile'].find(existsSync);
    const text = textFrom(file, options, output);
    try {
      writeFileSync(TARGET, text, { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') refuseExisting();
      throw new Failure({
        code: 'file-unwritable',
        message: `${TARGET} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
        exitCode: exitCodes.failed,
      });
    }
    output.data(
      { file: TARGET, from: file },
      () => `${TARGET} is written, ${file === undefined ? 'with an example' : `from ${file}`}.`,
    );
  });

function textFrom(file: string | undefined, options: ComposeOptions, output: Output): string {
  const folder = basename(process.cwd());
  if (file === undefined) return anExample(folder);
  if (/(^|[./])(Dockerfile|Containerfile)/i.test(basename(file)))
    return fromDockerfile(readNamedText(file), file, options.projectName ?? basename(resolve(file, '..')));
  const other = readOthers(file, options);
  const files = other === undefined && COMPOSE.includes(file) && existsSync(file) ? filesWith(file) : [file];
  const mapped = other ?? readCompose(files, options);
  for (const line of notesText(mapped)) output.say(line);
  return applicationText(mapped, files);
}

/** With its override, as it is taken where nobody names it. */
function filesWith(file: string): readonly string[] {
  const { files, isFound } = takeFiles([]);
  return isFound && files[0] === file ? files : [file];
}

function refuseExisting(): void {
  if (!existsSync(TARGET)) return;
  throw new Failure({
    code: 'file-exists',
    message: `There is a ${TARGET} here already, and it is not written over.`,
    remedy:
      'Deploy it: berth deploy; or move it away. berth import FILE prints what a compose file comes to.',
    exitCode: exitCodes.usage,
  });
}
