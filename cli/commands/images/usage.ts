import type { Command } from 'commander';
import { getImageUsage } from '../../../shared/api/routes/image-usage.ts';
import { bytesText, table } from '../../output.ts';
import { withSession } from '../../session.ts';

export function addUsage(images: Command): void {
  images
    .command('du')
    .description('bytes by repository: its own, shared with others, and named by no manifest')
    .argument('[repository]', 'only this repository')
    .action((repository: string | undefined, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const found = await client.call(getImageUsage, { query: { repository } });
        output.data(found, () => {
          const rows = found.repositories.map((entry) => [
            entry.repository,
            bytesText(entry.own),
            bytesText(entry.shared),
            bytesText(entry.garbage),
            entry.manifests,
            entry.blobs,
          ]);
          const listed = table(
            ['REPOSITORY', 'OWN', 'SHARED', 'GARBAGE', 'MANIFESTS', 'BLOBS'],
            rows,
            'Nothing was pushed yet.',
          );
          return rows.length === 0 ? listed : `${listed}\n\n${bytesText(found.total)}, each digest once`;
        });
      }),
    );
}
