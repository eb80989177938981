import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { planApplication } from '../../shared/api/routes/plans.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { planText } from '../plan-text.ts';
import { readApplication } from '../read-application.ts';
import { withSession } from '../session.ts';

interface Options {
  readonly out?: string;
  readonly detailedExitcode?: boolean;
}

export const addPlan = (program: Command): Command =>
  program
    .command('plan')
    .description('shows what a deployment would change, where it would run and what it would cost')
    .argument('[file]', 'the application; - reads standard input', 'berth.yaml')
    .option('--out <file>', 'keeps the plan, for berth apply; it holds the environment variables')
    .option('--detailed-exitcode', `ends with ${exitCodes.changes} if something would change, with 0 if not`)
    .action((file: string, { out, detailedExitcode }: Options, command: Command) => {
      refuseCompose(file);
      const { spec } = readApplication(file);
      return withSession(command, async ({ client, output, environment }) => {
        const plan = await client.call(planApplication, {
          params: { environment, application: spec.name },
          json: spec,
        });
        output.data(plan, () => planText(plan, output.paint));
        if (out !== undefined) {
          save(out, JSON.stringify(plan, undefined, 2));
          output.say(`The plan is in ${out}; apply it with: berth apply ${out} --environment ${environment}`);
        }
        if (detailedExitcode === true && !plan.empty) process.exitCode = exitCodes.changes;
      });
    });

/** Their images may have to be built and pushed first, which a plan must not do. */
function refuseCompose(file: string): void {
  if (!/compose[^/]*\.ya?ml$/.test(file)) return;
  throw new Failure({
    code: 'plan-of-compose',
    message: `${file} is taken for a compose file, whose images are built and pushed by a deployment: a plan changes nothing.`,
    remedy: 'Make a berth.yaml of it with berth init, and plan that.',
    exitCode: exitCodes.usage,
  });
}

/** For its owner alone: environment variables may hold what is not for everybody. */
function save(file: string, text: string): void {
  try {
    writeFileSync(file, `${text}\n`, { mode: 0o600 });
  } catch (error) {
    throw new Failure({
      code: 'file-unwritable',
      message: `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'Name a file that can be made with --out.',
      exitCode: exitCodes.usage,
    });
  }
}
