import type { Command } from 'commander';
import { getImage, type ImageDetails } from '../../../shared/api/routes/image-details.ts';
import { imageNamed, referenceOf } from '../../image-name.ts';
import { ago, bytesText, harmless, type Paint, table } from '../../output.ts';
import { withSession } from '../../session.ts';

export function addShow(images: Command): void {
  images
    .command('show')
    .description('an image: platforms, configuration, layers, tags, who pushed it, what refers to it')
    .argument('<image>', 'repository:tag or repository@digest')
    .action((text: string, _options, command: Command) =>
      withSession(command, async (session) => {
        const image = imageNamed(session, text);
        const query = { repository: image.repository, reference: referenceOf(image) };
        const found = await session.client.call(getImage, { query });
        session.output.data(found, () => textOf(found, session.output.paint));
      }),
    );
}

/** What is empty is left out. */
function textOf(image: ImageDetails, paint: Paint): string {
  const { config, pushedBy: by } = image;
  const facts: [string, string | undefined][] = [
    ['image', `${image.repository}@${image.digest}`],
    ['tags', image.tags.join(', ')],
    ['type', image.artifactType ?? image.mediaType],
    ['size', bytesText(image.size)],
    ['pushed', `${image.pushedAt}, ${ago(image.pushedAt)} ago${by === undefined ? '' : `, by ${by.actor}`}`],
    ['platform', config?.platform],
    ['created', config?.created],
    ['entrypoint', config && words(config.entrypoint)],
    ['command', config && words(config.command)],
    ['environment', config?.environment.join(', ')],
    ['directory', config?.workingDirectory],
    ['user', config?.user],
    ['ports', config?.ports.join(', ')],
  ];
  const known = facts.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== '');
  const parts = [
    known.map(([name, value]) => `${paint('dim', name.padEnd(12))}${harmless(value)}`).join('\n'),
  ];
  if (image.manifests.length > 0)
    parts.push(
      table(
        ['PLATFORM', 'DIGEST', 'MANIFEST'],
        image.manifests.map(({ platform, digest, size, artifactType }) => [
          harmless(platform ?? artifactType ?? '-'),
          digest,
          bytesText(size),
        ]),
        '',
      ),
    );
  if (image.layers.length > 0)
    parts.push(
      table(
        ['LAYER', 'SIZE', 'TYPE'],
        image.layers.map(({ digest, size, mediaType }) => [
          digest.slice(0, 19),
          bytesText(size),
          harmless(mediaType),
        ]),
        '',
      ),
    );
  if (image.referrers.length > 0)
    parts.push(
      table(
        ['REFERRER', 'DIGEST', 'SIZE'],
        image.referrers.map(({ artifactType, mediaType, digest, size }) => [
          harmless(artifactType ?? mediaType),
          digest.slice(0, 19),
          bytesText(size),
        ]),
        '',
      ),
    );
  return parts.join('\n\n');
}

/** As one would type it: words with spaces in quotes. */
const words = (list: readonly string[]): string =>
  list.map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
