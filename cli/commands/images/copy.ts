import type { Command } from 'commander';
import { copyImage } from '../../../shared/api/routes/image-changes.ts';
import { imageNamed, imageText, referenceOf, tagOf } from '../../image-name.ts';
import { withSession } from '../../session.ts';

export function addCopy(images: Command): void {
  images
    .command('copy')
    .description('makes an image, with all platforms, part of another repository; no bytes move')
    .argument('<image>', 'repository:tag or repository@digest')
    .argument('<new>', 'repository:tag')
    .option('--referrers', 'also signatures, attestations and whatever else refers to it', false)
    .action((source: string, target: string, options: { referrers: boolean }, command: Command) =>
      withSession(command, async (session) => {
        const from = imageNamed(session, source);
        const to = imageNamed(session, target);
        const done = await session.client.call(copyImage, {
          json: {
            from: { repository: from.repository, reference: referenceOf(from) },
            to: { repository: to.repository, tag: tagOf(to, target) },
            referrers: options.referrers,
          },
        });
        const { digest, manifests, mounted } = done;
        session.output.data(
          done,
          () =>
            `${imageText(to)} is ${digest}: ${manifests} ${manifests === 1 ? 'manifest' : 'manifests'}, ${mounted} ${mounted === 1 ? 'blob' : 'blobs'} linked`,
        );
      }),
    );
}
