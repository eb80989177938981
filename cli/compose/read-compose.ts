import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { issueText } from '../../shared/compose/faults.ts';
import type { MappedProject } from '../../shared/compose/map/conclude.ts';
import { mapProject } from '../../shared/compose/map/map-project.ts';
import { readProject } from '../../shared/compose/project.ts';
import { Invalid } from '../../shared/model/invalid.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

export interface ComposeOptions {
  readonly profile: readonly string[];
  readonly envFile: readonly string[];
  readonly projectName?: string;
  readonly projectDirectory?: string;
  readonly ignore: readonly string[];
}

/** Options that may be given several times. */
export const several = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export const addComposeOptions = (command: Command): Command =>
  command
    .option('--profile <name>', 'compose: services of this profile too; * for all', several, [])
    .option('--env-file <file>', 'compose: variables, in place of .env', several, [])
    .option('-p, --project-name <name>', 'compose: name of the application')
    .option(
      '--project-directory <folder>',
      "compose: where relative paths begin, in place of the first file's folder",
    )
    .option('--ignore <key>', 'compose: go on without a key that Berth cannot honour', several, []);

/** @throws Failure with `file:line:column: key: what is wrong` for each fault, as editors read it */
export function readCompose(files: readonly string[], options: ComposeOptions): MappedProject {
  const read = (path: string): string | undefined => textOf(path);
  try {
    const project = readProject({
      files,
      workingDirectory: process.cwd(),
      directory: options.projectDirectory,
      name: options.projectName,
      profiles: options.profile,
      environment: process.env,
      environmentFiles: options.envFile.length === 0 ? undefined : options.envFile,
      read,
    });
    return mapProject(project, options.ignore, read);
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    const { code, issues, remedy } = error;
    throw new Failure({ code, message: issues.map(issueText).join('\n'), remedy, exitCode: exitCodes.usage });
  }
}

/** undefined for what is not there, and for folders. @throws Failure `file-unreadable` */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG'].includes(code)) return undefined;
    throw new Failure({
      code: 'file-unreadable',
      message: `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      exitCode: exitCodes.usage,
    });
  }
}

/** What was left out, for people. */
export const notesText = ({ notes }: MappedProject): readonly string[] =>
  notes.map((note) => `  ${issueText(note)}`);

/** What would be overheard is refused. @throws Failure `options-of-compose` */
export function refuseComposeOptions(
  options: ComposeOptions,
  file: string,
  others: readonly string[] = [],
): void {
  const given = [
    options.profile.length > 0 && '--profile',
    options.envFile.length > 0 && '--env-file',
    options.ignore.length > 0 && '--ignore',
    options.projectName !== undefined && '--project-name',
    options.projectDirectory !== undefined && '--project-directory',
    ...others,
  ].filter((name) => name !== false);
  if (given.length === 0) return;
  throw new Failure({
    code: 'options-of-compose',
    message: `${given.join(', ')}: of compose files alone, and ${file} is taken for a berth.yaml.`,
    remedy: 'Leave it out; or, if it is a compose file, give it a name with compose in it.',
    exitCode: exitCodes.usage,
  });
}
