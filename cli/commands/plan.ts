import type { Command } from 'commander';
import { planApplication } from '../../shared/api/routes/plans.ts';
import type { MappedProject } from '../../shared/compose/map/conclude.ts';
import { ApplicationSpec } from '../../shared/model/application.ts';
import { placeIn } from '../../shared/model/parse-yaml.ts';
import { atPlaces, type PlaceOf } from '../at-places.ts';
import { withImages } from '../compose/deploy-compose.ts';
import { findImages } from '../compose/find-images.ts';
import {
  addComposeOptions,
  type ComposeOptions,
  notesText,
  readCompose,
  refuseComposeOptions,
} from '../compose/read-compose.ts';
import { takeFiles } from '../compose/take-files.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { writeWhole } from '../machine/private-file.ts';
import type { Output } from '../output.ts';
import { planText } from '../plan-text.ts';
import { readApplication } from '../read-application.ts';
import { outputOf, type Session, withSession } from '../session.ts';

interface Options extends ComposeOptions {
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
      ),
  )
    .option('--out <file>', 'keeps the plan, for berth apply; it holds the environment variables')
    .option('--detailed-exitcode', `ends with ${exitCodes.changes} if something would change, with 0 if not`)
    .action((named: readonly string[], options: Options, command: Command) => {
      const { out, detailedExitcode } = options;
      const application = applicationOf(named, options, outputOf(command));
      return withSession(command, async (session) => {
        const { client, output, environment } = session;
        const { spec, placeOf } = await application(session);
        const params = { environment, application: spec.name };
        const plan = await atPlaces(placeOf, () => client.call(planApplication, { params, json: spec }));
        output.data(plan, () => planText(plan, output.paint));
        if (out !== undefined) {
          // For its owner alone: environment variables may hold what is not for everybody.
          writeWhole(out, `${JSON.stringify(plan, undefined, 2)}\n`);
          output.say(`The plan is in ${out}; apply it with: berth apply ${out} --environment ${environment}`);
        }
        if (detailedExitcode === true && !plan.empty) process.exitCode = exitCodes.changes;
      });
    });

/** What is read before there is a connection, and what of it has to be asked for: where the images of a compose file are. */
function applicationOf(
  named: readonly string[],
  options: Options,
  output: Output,
): (session: Session) => Promise<{ readonly spec: ApplicationSpec; readonly placeOf: PlaceOf }> {
  const { kind, files, isFound } = takeFiles(named);
  if (isFound && !output.json) output.say(`Taking ${files.join(' and ')}.`);
  const [file = '-'] = files;
  if (kind === 'berth') {
    refuseComposeOptions(options, file);
    const { text, spec } = readApplication(file);
    return async () => ({ spec, placeOf: (path) => ({ file, ...placeIn(text, path) }) });
  }
  const mapped = readCompose(files, options);
  for (const line of notesText(mapped)) output.say(line);
  refuseBuilds(mapped);
  return async (session) => {
    const images = await findImages(session, mapped.images, { brings: false });
    const spec = ApplicationSpec.parse(withImages(mapped.application, images));
    return { spec, placeOf: mapped.placeOf };
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
