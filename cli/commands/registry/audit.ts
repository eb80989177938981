import type { Command } from 'commander';
import { readAudit } from '../../../shared/api/routes/audit.ts';
import { ago, bytesText, harmless, table } from '../../output.ts';
import { withSession } from '../../session.ts';
import { parseSince } from '../../since.ts';
import { wholeNumber } from '../../whole-number.ts';

interface Options {
  readonly since?: string;
  readonly action?: string;
  readonly actor?: string;
  readonly limit: number;
  readonly after?: string;
}

/** What stands in an event's data; parts that are not there are shown as `-`. */
interface Data {
  readonly repository?: string;
  readonly tag?: string;
  readonly digest?: string;
  readonly size?: number;
  readonly origin?: { readonly actor?: string; readonly address?: string; readonly userAgent?: string };
}

export function addAudit(registry: Command): void {
  registry
    .command('audit')
    .description('who pushed, pulled, deleted and mounted what in the last 90 days, the newest first')
    .argument('[repository]', 'all that you administer if left out')
    .option('--since <time>', 'only after this: RFC 3339, or an age such as 10m', parseSince)
    .option('--action <action>', 'only push, pull, delete or mount')
    .option('--actor <id>', 'only by this key, user, or "anonymous"')
    .option('-n, --limit <count>', 'how many', wholeNumber, 50)
    .option('--after <place>', 'go on where the page before ended')
    .action((repository: string | undefined, options: Options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const query = { ...options, ...(repository === undefined ? {} : { repository }) };
        const page = await client.call(readAudit, { query });
        output.data(page, () =>
          table(
            ['AGE', 'ACTION', 'WHAT', 'DIGEST', 'SIZE', 'BY', 'FROM', 'WITH'],
            page.events.map(({ time, type, data }) => {
              const { repository, tag, digest, size, origin } = (data ?? {}) as Data;
              return [
                ago(time),
                type.split('.').at(-1),
                harmless(tag === undefined ? `${repository}` : `${repository}:${tag}`),
                digest?.slice(0, 19),
                size === undefined ? undefined : bytesText(size),
                origin?.actor === undefined ? undefined : harmless(origin.actor),
                origin?.address === undefined ? undefined : harmless(origin.address),
                origin?.userAgent === undefined ? undefined : harmless(origin.userAgent).slice(0, 32),
              ];
            }),
            page.next === undefined ? 'Nothing was done.' : 'Nothing that matches so far back.',
          ),
        );
        if (page.next !== undefined && !output.json)
          output.say(`There may be more: add --after '${page.next}'`);
      }),
    );
}
