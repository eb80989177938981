import type { Command } from 'commander';
import { planApplication } from '../../shared/api/routes/plans.ts';
import type { MappedProject } from '../../shared/compose/map/conclude.ts';
import { placeIn } from '../../shared/model/parse-yaml.ts';
import type { DeploymentPlan } from '../../shared/model/plan.ts';
import { atPlaces } from '../at-places.ts';
import { findImages, refuseElsewhere } from '../compose/find-images.ts';
import { judgeCompose } from '../compose/judge-compose.ts';
import {
  addComposeOptions,
  type ComposeOptions,
  notesText,
  readCompose,
  refuseComposeOptions,
  several,
} from '../compose/read-compose.ts';
import { readSecrets } from '../compose/set-secrets.ts';
import { takeFiles } from '../compose/take-files.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { writeWhole } from '../machine/private-file.ts';
import type { Output } from '../output.ts';
import { planText } from '../plan-text.ts';
import { readApplication } from '../read-application.ts';
import { outputOf, type Session, withSession } from '../session.ts';

interface Options extends ComposeOptions {
  readonly file: readonly string[];
  readonly out?: string;
  readonly detailedExitcode?: boolean;
}

export const addPlan = (program: Command): Command =>
  addComposeOptions(
    program
      .command('plan')
      .description('shows what a deployment would change, where it would run and what it would cost')
      .argument(
        '[files...]',
        'a berth.yaml (- reads standard input), or compose files; left out: the one that is here',
      )
      .option('-f, --file <file>', 'the same', several, []),
  )
    .option('--out <file>', 'keeps the plan, for berth apply; it holds the environment variables')
    .option('--detailed-exitcode', `ends with ${exitCodes.changes} if something would change, with 0 if not`)
    .action((named: readonly string[], options: Options, command: Command) => {
      const { out, detailedExitcode } = options;
      const planOf = plannerOf([...named, ...options.file], options, outputOf(command));
      return withSession(command, async (session) => {
        const { output, environment } = session;
        const plan = await planOf(session);
        output.data(plan, () => planText(plan, output.paint));
        if (out !== undefined) {
          // For its owner alone: environment variables may hold what is not for everybody.
          writeWhole(out, `${JSON.stringify(plan, undefined, 2)}\n`);
          output.say(`The plan is in ${out}; apply it with: berth apply ${out} --environment ${environment}`);
        }
        if (detailedExitcode === true && !plan.empty) process.exitCode = exitCodes.changes;
      });
    });

/** What is read before there is a connection, and then what has to be asked for. */
function plannerOf(
  named: readonly string[],
  options: Options,
  output: Output,
): (session: Session) => Promise<DeploymentPlan> {
  const { kind, files, isFound } = takeFiles(named);
  if (isFound && !output.json) output.say(`Taking ${files.join(' and ')}.`);
  const [file = '-'] = files;
  if (kind === 'berth') {
    refuseComposeOptions(options, file);
    const { text, spec } = readApplication(file);
    const placeOf = (path: string) => ({ file, ...placeIn(text, path) });
    return ({ client, environment }) => {
      const params = { environment, application: spec.name };
      return atPlaces(placeOf, () => client.call(planApplication, { params, json: spec }));
    };
  }
  const mapped = readCompose(files, options);
  for (const line of notesText(mapped)) output.say(line);
  refuseBuilds(mapped);
  readSecrets(mapped.secretSources);
  return async (session) => {
    const located = await findImages(session, mapped.images);
    refuseElsewhere(located);
    return await judgeCompose(session, mapped, located.found);
  };
}

/** A plan changes nothing, so it builds nothing. */
function refuseBuilds({ builds }: MappedProject): void {
  const [first] = builds;
  if (first === undefined) return;
  throw new Failure({
    code: 'plan-of-build',
    message: `${first.at.file}:${first.at.line}:${first.at.column}: services.${first.service}.build: its image is built and pushed by a deployment, and a plan changes nothing.`,
    remedy: 'Make a berth.yaml with berth init, build and push as it says, and plan that.',
    exitCode: exitCodes.usage,
  });
}
