import type { Command } from 'commander';
import { restoreImage } from '../../../shared/api/routes/trash.ts';
import { imageNamed, referenceOf } from '../../image-name.ts';
import { withSession } from '../../session.ts';

export function addRestore(images: Command): void {
  images
    .command('restore')
    .description('brings back what was deleted: a tag, or by digest an image with the tags that went with it')
    .argument('<image>', 'repository:tag or repository@digest')
    .option('--force', 'also tags that point to something else by now', false)
    .action((text: string, { force }: { force: boolean }, command: Command) =>
      withSession(command, async (session) => {
        const image = imageNamed(session, text);
        const { repository } = image;
        const done = await session.client.call(restoreImage, {
          json: { repository, reference: referenceOf(image), force },
        });
        session.output.data(done, () =>
          [
            ...done.manifests.map((digest) => `restored ${repository}@${digest}`),
            ...done.tags.map((tag) => `restored ${repository}:${tag}`),
            ...done.taken.map(
              (tag) => `left alone ${repository}:${tag}, which points to something else by now`,
            ),
          ].join('\n'),
        );
      }),
    );
}
