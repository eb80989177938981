import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { putApplication } from '../../shared/api/routes/applications.ts';
import type { ApplicationSpec } from '../../shared/model/application.ts';
import { Invalid } from '../../shared/model/invalid.ts';
import { parseApplication } from '../../shared/model/parse-application.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { withSession } from '../session.ts';
import { watchRollout } from '../watch-rollout.ts';

interface Options {
  readonly file: string;
  readonly wait: boolean;
  readonly timeout: number;
}

export const addDeploy = (program: Command): Command =>
  program
    .command('deploy')
    .description('deploys an application and waits until its services run')
    .option('-f, --file <file>', 'the application; - reads standard input', 'berth.yaml')
    .option('--no-wait', 'return when the deployment was accepted')
    .option('--timeout <seconds>', 'how long to wait for the rollout', Number, 600)
    .action((options: Options, command: Command) => {
      const text = readText(options.file);
      const spec = parseFile(text, options.file);
      return withSession(command, async (session) => {
        const { client, output, environment } = session;
        const accepted = await client.call(putApplication, {
          params: { environment, application: spec.name },
          text,
        });
        output.say(
          `${spec.name}: accepted in environment ${environment} (event ${accepted.event.hash.slice(0, 12)})`,
        );
        if (!options.wait) return output.data(accepted, () => accepted.location);
        await watchRollout(session, spec, accepted.event.hash, options.timeout);
      });
    });

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new Failure({
      code: 'file-unreadable',
      message: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'Name the application with -f FILE; docs/berth.yaml shows one with every key.',
      exitCode: exitCodes.usage,
    });
  }
}

/** @throws Failure with `file:line:column: where: what was expected` for each fault, as editors read it */
function parseFile(text: string, file: string): ApplicationSpec {
  try {
    return parseApplication(text);
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    const faults = error.issues.map(
      ({ line, column, path, message }) =>
        `${file}:${line ?? 1}:${column ?? 1}: ${path === '' ? '' : `${path}: `}${message}`,
    );
    throw new Failure({
      code: error.code,
      message: faults.join('\n'),
      remedy: error.remedy,
      exitCode: exitCodes.usage,
    });
  }
}
