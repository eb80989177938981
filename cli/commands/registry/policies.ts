import type { Command } from 'commander';
import { stringify } from 'yaml';
import {
  deletePolicy,
  getEffectivePolicy,
  getPolicy,
  listPolicies,
  putPolicy,
} from '../../../shared/api/routes/policies.ts';
import { readNamedText } from '../../named-file.ts';
import { table } from '../../output.ts';
import { withSession } from '../../session.ts';

const yaml = (value: unknown): string => stringify(value).trimEnd();

export function addPolicies(registry: Command): void {
  const policies = registry.command('policy').description('what holds for repositories, by pattern');
  policies
    .command('list', { isDefault: true })
    .description('policies by name, and what each sets')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { policies: found } = await client.call(listPolicies);
        output.data(found, () =>
          table(
            ['POLICY', 'REPOSITORIES', 'SETS'],
            found.map(({ name, policy: { repositories, ...settings } }) => [
              name,
              repositories,
              Object.keys(settings).join(', '),
            ]),
            'No policy is set: berth registry policy set NAME -f policy.yaml',
          ),
        );
      }),
    );
  policies
    .command('show')
    .description('a policy, as a file that can be set again')
    .argument('<name>')
    .action((policy: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const found = await client.call(getPolicy, { params: { policy } });
        output.data(found, () => yaml(found));
      }),
    );
  policies
    .command('set')
    .description('sets a policy, new or anew')
    .argument('<name>')
    .requiredOption('-f, --file <file>', 'the policy; - reads standard input')
    .action((policy: string, { file }: { file: string }, command: Command) => {
      const text = readNamedText(
        file,
        'Name the policy with -f FILE; docs/registry.md, "Policies", shows one.',
      );
      return withSession(command, async ({ client, output }) => {
        const set = await client.call(putPolicy, { params: { policy }, text });
        output.data(set, () => yaml(set.policy));
        output.say(`Policy ${policy} is set for ${set.policy.repositories}.`);
      });
    });
  policies
    .command('delete')
    .description('removes a policy')
    .argument('<name>')
    .action((policy: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        await client.call(deletePolicy, { params: { policy } });
        output.say(`Policy ${policy} is removed.`);
      }),
    );
  policies
    .command('effective')
    .description('what all policies together say of a repository')
    .argument('<repository>')
    .action((repository: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const found = await client.call(getEffectivePolicy, { query: { repository } });
        output.data(found, () => yaml(found));
      }),
    );
}
