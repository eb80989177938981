import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { deleteSecret, listSecrets, putSecret, type SecretView } from '../../shared/api/routes/secrets.ts';
import { restartService } from '../../shared/api/routes/services.ts';
import { ago, bytesText, type Output, table } from '../output.ts';
import { type SecretSource, secretValue } from '../secret-value.ts';
import { type Session, withSession } from '../session.ts';

interface Scope {
  readonly application?: string;
}
interface SetOptions extends Scope, SecretSource {
  readonly restart?: boolean;
}

const scopeText = ({ key }: SecretView): string => key.application ?? '(all)';

const usersText = ({ usedBy }: SecretView): string =>
  usedBy
    .map(({ application, name, stale }) => `${application}/${name}${stale > 0 ? ` (${stale} stale)` : ''}`)
    .join(', ');

const application = () =>
  new Option(
    '-a, --application <name>',
    'known to this application alone; left out: to all of the environment',
  );

/** Gives the secret to the containers that have the old value, or says how. */
async function hand(session: Session, view: SecretView, restart: boolean): Promise<void> {
  const { client, output, environment } = session;
  const services = view.usedBy.filter(({ kind }) => kind === 'service');
  for (const { application: name, name: service } of services)
    if (restart) {
      await client.call(restartService, { params: { environment, application: name, service } });
      output.say(`${name}/${service}: restarting`);
    }
  if (restart || services.length === 0) return;
  output.say(
    `${services.map(({ application: a, name }) => `${a}/${name}`).join(', ')} run on with the old value.`,
  );
  for (const { application: a, name } of services) output.say(`  → berth restart ${a}/${name}`);
}

const show = (output: Output, view: SecretView): void =>
  output.data(view, () => `${view.key.name}: version ${view.version}, ${bytesText(view.size)}`);

function length(text: string): number {
  const bytes = Number(text);
  if (Number.isInteger(bytes) && bytes >= 16 && bytes <= 1024) return bytes;
  throw new InvalidArgumentError('Expected 16 to 1024.');
}

export function addSecrets(program: Command): void {
  const secrets = program
    .command('secrets')
    .description('values that containers get as files, and nobody else');
  secrets
    .command('ls', { isDefault: true })
    .alias('list')
    .description('secrets, and who uses them')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output, environment }) => {
        const { secrets: found } = await client.call(listSecrets, { params: { environment } });
        output.data(found, () =>
          table(
            ['SECRET', 'APPLICATION', 'VERSION', 'SIZE', 'CHANGED', 'USED BY'],
            found.map((view) => [
              view.key.name,
              scopeText(view),
              view.version,
              bytesText(view.size),
              ago(view.changedAt),
              usersText(view),
            ]),
            `Environment ${environment} has no secret: berth secrets set NAME`,
          ),
        );
      }),
    );
  secrets
    .command('set')
    .description('gives a secret a value: typed, from standard input, or from a file')
    .argument('<name>')
    .addOption(application())
    .option('-f, --file <file>', 'the file with the value, byte by byte')
    .option('--value <value>', 'the value itself; other users of this computer see it while the command runs')
    .option('--restart', 'restart the services that use it, so that they get it')
    .action((secret: string, options: SetOptions, command: Command) =>
      withSession(command, async (session) => {
        const { client, output, environment } = session;
        const value = await secretValue(options, (words) => output.say(words));
        const view = await client.call(putSecret, {
          params: { environment, secret },
          query: { application: options.application },
          json: { value: value.toString('base64'), encoding: 'base64' },
        });
        show(output, view);
        await hand(session, view, options.restart === true);
      }),
    );
  secrets
    .command('rotate')
    .description(
      'gives a secret a new random value, which nobody sees, and restarts the services that use it',
    )
    .argument('<name>')
    .addOption(application())
    .option('--bytes <count>', 'random bytes, written as base64url', length, 32)
    .option('--no-restart', 'leave those that run with the old value')
    .action((secret: string, options: Scope & { bytes: number; restart: boolean }, command: Command) =>
      withSession(command, async (session) => {
        const { client, output, environment } = session;
        const view = await client.call(putSecret, {
          params: { environment, secret },
          query: { application: options.application },
          json: { value: randomBytes(options.bytes).toString('base64url') },
        });
        show(output, view);
        if (view.version === 1)
          output.say(
            `There was no secret ${secret} before: it is new. → If it was mistyped: berth secrets rm`,
          );
        await hand(session, view, options.restart);
      }),
    );
  secrets
    .command('rm')
    .description('removes a secret')
    .argument('<name>')
    .addOption(application())
    .option('--force', 'also if something uses it, whose containers then do not start again')
    .action((secret: string, options: Scope & { force?: boolean }, command: Command) =>
      withSession(command, async ({ client, output, environment }) => {
        await client.call(deleteSecret, {
          params: { environment, secret },
          query: { application: options.application, force: options.force },
        });
        output.say(`Secret ${secret} is removed from environment ${environment}.`);
      }),
    );
}
