import type { Command } from 'commander';
import {
  deleteReplication,
  getReplication,
  listReplications,
  putReplication,
  type ReplicationView,
  syncReplication,
  testReplication,
} from '../../../shared/api/routes/replications.ts';
import { hostOfUrl } from '../../../shared/model/registry-address.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { ago, harmless, table } from '../../output.ts';
import { withSession } from '../../session.ts';
import { type UpstreamOptions, upstreamOf } from './upstream-options.ts';

interface CreateOptions extends UpstreamOptions {
  readonly to: string;
  readonly repositories: readonly string[];
  readonly deletes?: boolean;
}

const placeOf = ({ registry, path }: ReplicationView): string =>
  [hostOfUrl(registry.url), path].filter(Boolean).join('/');

export function addReplications(registry: Command): void {
  const replications = registry
    .command('replications')
    .description('repositories that are kept alike in another registry');
  replications
    .command('list', { isDefault: true })
    .description('replications, and where they go')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { replications: found } = await client.call(listReplications);
        output.data(found, () =>
          table(
            ['REPLICATION', 'REPOSITORIES', 'TO', 'DELETIONS'],
            found.map((one) => [
              one.name,
              one.repositories.join(', '),
              placeOf(one),
              one.deletes ? 'followed' : 'not followed',
            ]),
            'There is none yet: berth registry replications create NAME --to registry.example --repositories "team/**"',
          ),
        );
      }),
    );
  replications
    .command('show')
    .description('one replication, as JSON')
    .argument('<name>')
    .action((replication: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const found = await client.call(getReplication, { params: { replication } });
        output.data(found.replication, () => JSON.stringify(found.replication, undefined, 2));
      }),
    );
  replications
    .command('create')
    .description('makes a replication, or changes it')
    .argument('<name>')
    .requiredOption('--to <registry>', 'the other registry, and where in it: registry.example/mirror')
    .requiredOption('--repositories <pattern...>', 'our repositories: "team/**"')
    .option('--deletes', 'what is deleted here is deleted there')
    .option('--username <name>', 'for a credential, whose password is asked for')
    .option('--password-stdin', 'the password is on standard input')
    .option('--authority <file>', 'PEM of an authority to trust, where the usual ones have not signed it')
    .option('--plain-http', 'the registry speaks http, which is not encrypted')
    .action(async (replication: string, options: CreateOptions, command: Command) => {
      const { address, path, credential } = await upstreamOf(options.to, options);
      const json = {
        repositories: options.repositories,
        registry: address,
        path,
        deletes: options.deletes === true,
        credential,
      };
      await withSession(command, async ({ client, output }) => {
        const made = await client.call(putReplication, { params: { replication }, json });
        output.data(made, () => `${made.repositories.join(', ')} goes to ${placeOf(made)}`);
        output.say(`What is there already goes with: berth registry replications sync ${replication}`);
      });
    });
  replications
    .command('delete')
    .description('removes a replication; what is in the other registry stays')
    .argument('<name>')
    .action((replication: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        await client.call(deleteReplication, { params: { replication } });
        output.say(`Replication ${replication} is removed.`);
      }),
    );
  replications
    .command('sync')
    .description('compares all that there is, and brings what is missing')
    .argument('<name>')
    .action((replication: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const queued = await client.call(syncReplication, { params: { replication } });
        output.data(
          queued,
          () => `${queued.events} images of ${queued.repositories.length} repositories are compared`,
        );
        output.say(`See how far it is: berth registry replications status ${replication}`);
      }),
    );
  replications
    .command('status')
    .description('what waits, and why')
    .argument('<name>')
    .action((replication: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const found = await client.call(getReplication, { params: { replication } });
        output.data(found, () =>
          table(
            ['REPOSITORY', 'WAITS', 'FAILURES', 'LAST FAILURE'],
            found.waiting.map(({ repository, since, failures, lastFailure }) => [
              repository,
              ago(since),
              failures,
              lastFailure === undefined ? '-' : harmless(lastFailure),
            ]),
            'Nothing waits: the other registry has it all.',
          ),
        );
        if (found.deadLetters > 0)
          output.say(
            `${found.deadLetters} were given up. Once the cause is mended: berth registry replications sync ${replication}`,
          );
      }),
    );
  replications
    .command('test')
    .description('asks the other registry, with the credential')
    .argument('<name>')
    .action((replication: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const result = await client.call(testReplication, { params: { replication } });
        if (!result.accepted)
          throw new Failure({
            code: 'replication-refused',
            message: result.answer,
            remedy: 'Change its address or credential: berth registry replications create',
            exitCode: exitCodes.failed,
          });
        output.data(result, () => result.answer);
      }),
    );
}
