import type { Command } from 'commander';
import { listImages } from '../../shared/api/routes/images.ts';
import { ago, table } from '../output.ts';
import { withSession } from '../session.ts';

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;

export function addImages(program: Command): void {
  const images = program.command('images').description('images in the registry');
  images
    .command('list', { isDefault: true })
    .description('tags, and the digests that they point to')
    .argument('[repository]', 'only of this repository')
    .action((repository: string | undefined, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { registry, images: all } = await client.call(listImages);
        const found = all.filter((image) => repository === undefined || image.repository === repository);
        output.data({ registry, images: found }, () =>
          table(
            ['IMAGE', 'DIGEST', 'SIZE', 'PUSHED'],
            found.map((image) => [
              `${image.repository}:${image.tag}`,
              image.digest.slice(0, 19),
              megabytes(image.size),
              ago(image.pushedAt),
            ]),
            `Nothing was pushed yet: docker push ${registry}/<repository>:<tag>`,
          ),
        );
      }),
    );
}
