import type { Command } from 'commander';
import { listTrash } from '../../../shared/api/routes/trash.ts';
import { ago, bytesText, harmless, table } from '../../output.ts';
import { withSession } from '../../session.ts';

export function addTrash(registry: Command): void {
  const trash = registry.command('trash').description('what was deleted and can be restored');
  trash
    .command('list', { isDefault: true })
    .description('what was deleted, when, by whom, and until when it can be restored')
    .argument('[repository]', 'only of this repository')
    .action((repository: string | undefined, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { deleted } = await client.call(listTrash, { query: { repository } });
        output.data(deleted, () =>
          table(
            ['IMAGE', 'DIGEST', 'SIZE', 'DELETED', 'BY', 'RESTORABLE UNTIL'],
            deleted.map((one) => [
              one.tag === undefined ? `${one.repository}@${one.digest}` : `${one.repository}:${one.tag}`,
              one.digest.slice(0, 19),
              bytesText(one.size),
              ago(one.deletedAt),
              harmless(one.deletedBy),
              one.restorableUntil,
            ]),
            'Nothing that was deleted can be restored.',
          ),
        );
      }),
    );
}
