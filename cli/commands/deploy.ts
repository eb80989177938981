import type { Command } from 'commander';
import { putApplication } from '../../shared/api/routes/applications.ts';
import type { ApplicationSpec } from '../../shared/model/application.ts';
import { placeIn } from '../../shared/model/parse-yaml.ts';
import { atPlaces, type PlaceOf } from '../at-places.ts';
import { prepareCompose } from '../compose/deploy-compose.ts';
import {
  addComposeOptions,
  type ComposeOptions,
  notesText,
  readCompose,
  refuseComposeOptions,
  several,
} from '../compose/read-compose.ts';
import { takeFiles } from '../compose/take-files.ts';
import { readApplication } from '../read-application.ts';
import { outputOf, type Session, withSession } from '../session.ts';
import { watchRollout } from '../watch-rollout.ts';
import { wholeSeconds } from '../whole-number.ts';

interface Options extends ComposeOptions {
  readonly file: readonly string[];
  readonly import?: boolean;
  readonly wait: boolean;
  readonly timeout: number;
}

export const addDeploy = (program: Command): Command =>
  addComposeOptions(
    program
      .command('deploy')
      .description('deploys an application and waits until its services run')
      .argument(
        '[files...]',
        'a berth.yaml, or compose files, the later over the earlier; left out: the one that is here',
      )
      .option('-f, --file <file>', 'the same; - reads a berth.yaml from standard input', several, []),
  )
    .option('--import', 'compose: import images that are in no registry that Berth knows')
    .option('--no-wait', 'return when the deployment was accepted')
    .option('--timeout <seconds>', 'how long to wait for the rollout', wholeSeconds, 600)
    .action((named: readonly string[], options: Options, command: Command) => {
      const { kind, files, isFound } = takeFiles([...named, ...options.file]);
      const output = outputOf(command);
      if (isFound && !output.json) output.say(`Taking ${files.join(' and ')}.`);
      if (kind === 'compose') return deployCompose(files, options, command);
      const [file = '-'] = files;
      refuseComposeOptions(options, file, options.import === true ? ['--import'] : []);
      const { text, spec } = readApplication(file);
      // Files of configs were read here; a text without any goes as it was written.
      const body = Object.keys(spec.configs).length > 0 ? { json: spec } : { text };
      const placeOf = (path: string) => ({ file, ...placeIn(text, path) });
      return withSession(command, (session) => deploy(session, { spec, body, placeOf }, options));
    });

function deployCompose(files: readonly string[], options: Options, command: Command): Promise<void> {
  const mapped = readCompose(files, options);
  return withSession(command, async (session) => {
    const { output } = session;
    const services = Object.keys(mapped.application.services);
    output.say(`${mapped.application.name}: ${services.join(', ')}, as a compose file.`);
    for (const line of notesText(mapped)) output.say(line);
    const spec = await prepareCompose(session, mapped, { brings: options.import === true });
    await deploy(session, { spec, body: { json: spec }, placeOf: mapped.placeOf }, options);
  });
}

interface Deployed {
  readonly spec: ApplicationSpec;
  readonly body: { readonly json: ApplicationSpec } | { readonly text: string };
  readonly placeOf: PlaceOf;
}

async function deploy(session: Session, { spec, body, placeOf }: Deployed, options: Options): Promise<void> {
  const { client, output, environment } = session;
  const params = { environment, application: spec.name };
  const accepted = await atPlaces(placeOf, () => client.call(putApplication, { params, ...body }));
  output.say(
    `${spec.name}: accepted in environment ${environment} (event ${accepted.event.hash.slice(0, 12)})`,
  );
  if (!options.wait) return output.data(accepted, () => accepted.location);
  await watchRollout(session, spec, accepted.event.hash, options.timeout);
}
