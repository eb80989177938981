import { type Command, InvalidArgumentError } from 'commander';
import { type ImageView, listImages } from '../../../shared/api/routes/images.ts';
import { ago, bytesText, table } from '../../output.ts';
import { type Session, withSession } from '../../session.ts';

/** Images that are shown unless more are asked for. */
const FIRST = 100;
/** The most that one answer has. */
const PAGE = 1000;

export function addList(images: Command): void {
  images
    .command('list', { isDefault: true })
    .description('tags, and the digests that they point to')
    .argument('[repository]', 'only of this repository')
    .option('--all', `all of them, not the first ${FIRST} alone`)
    .option('-n, --limit <count>', `how many, ${FIRST} if not said`, count)
    .action((repository: string | undefined, options: { all?: boolean; limit?: number }, command: Command) =>
      withSession(command, async (session) => {
        const most = options.all === true ? Number.POSITIVE_INFINITY : (options.limit ?? FIRST);
        const { registry, found, more } = await read(session, repository, most);
        session.output.data({ registry, images: found }, () =>
          table(
            ['IMAGE', 'DIGEST', 'SIZE', 'PUSHED'],
            found.map((image) => [
              `${image.repository}:${image.tag}`,
              image.digest.slice(0, 19),
              bytesText(image.size),
              ago(image.pushedAt),
            ]),
            `Nothing was pushed yet: docker push ${registry}/<repository>:<tag>`,
          ),
        );
        if (more) session.output.say(`There are more; see them with --all.`);
      }),
    );
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a whole number of images.');
  return Number(text);
}

/** Page after page, until there are `most`. */
async function read({ client }: Session, repository: string | undefined, most: number) {
  const found: ImageView[] = [];
  for (let after: string | undefined; ; ) {
    const limit = Math.min(PAGE, most - found.length);
    const answer = await client.call(listImages, { query: { repository, limit, after } });
    found.push(...answer.images);
    after = answer.next;
    if (after === undefined || found.length >= most)
      return { registry: answer.registry, found, more: after !== undefined };
  }
}
