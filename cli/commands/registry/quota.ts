import type { Command } from 'commander';
import { listQuotas } from '../../../shared/api/routes/quotas.ts';
import { bytesText, table } from '../../output.ts';
import { withSession } from '../../session.ts';

export function addQuota(registry: Command): void {
  registry
    .command('quota')
    .description('bytes that repositories hold, and how many they may')
    .argument('[repository]', 'only this repository')
    .action((repository: string | undefined, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { repositories } = await client.call(listQuotas, { query: { repository } });
        output.data(repositories, () =>
          table(
            ['REPOSITORY', 'USED', 'QUOTA', 'PERCENT'],
            repositories.map(({ repository, used, quota }) => [
              repository,
              bytesText(used),
              quota === undefined ? undefined : bytesText(quota),
              quota === undefined ? undefined : `${Math.round((100 * used) / quota)} %`,
            ]),
            'Nothing was pushed yet.',
          ),
        );
      }),
    );
}
