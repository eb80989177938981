import type { Command } from 'commander';
import { copyImage, untagImage } from '../../../shared/api/routes/image-changes.ts';
import { imageNamed, imageText, referenceOf, tagOf } from '../../image-name.ts';
import { withSession } from '../../session.ts';

/** `tag` and `untag`. */
export function addTag(images: Command): void {
  images
    .command('tag')
    .description(
      'gives an image another tag, in its own repository or in another; services roll out as for a push',
    )
    .argument('<image>', 'repository:tag or repository@digest')
    .argument('<new>', 'repository:tag')
    .action((source: string, target: string, _options, command: Command) =>
      withSession(command, async (session) => {
        const from = imageNamed(session, source);
        const to = imageNamed(session, target);
        const done = await session.client.call(copyImage, {
          json: {
            from: { repository: from.repository, reference: referenceOf(from) },
            to: { repository: to.repository, tag: tagOf(to, target) },
          },
        });
        session.output.data(done, () => `${imageText(to)} is ${done.digest}`);
      }),
    );
  images
    .command('untag')
    .description('takes a tag away; the image stays')
    .argument('<image>', 'repository:tag')
    .action((text: string, _options, command: Command) =>
      withSession(command, async (session) => {
        const image = imageNamed(session, text);
        const { repository } = image;
        const tag = tagOf(image, text);
        const done = await session.client.call(untagImage, { query: { repository, tag } });
        session.output.data(done, () => `${repository}:${tag} no longer points to ${done.digest}`);
      }),
    );
}
