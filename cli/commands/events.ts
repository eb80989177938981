import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { getEvent, listEvents } from '../../shared/api/routes/events.ts';
import type { Client, Filling } from '../client.ts';
import { ago, harmless, table } from '../output.ts';
import { type Session, withSession } from '../session.ts';
import { parseSince } from '../since.ts';
import { wholeNumber } from '../whole-number.ts';
import { addDeadLetters } from './dead-letters.ts';

interface Options {
  readonly source?: string;
  readonly type?: string;
  readonly since?: string;
  readonly limit: number;
  readonly follow?: boolean;
}

/** Between two looks for new ones; milliseconds. */
const LOOK_MS = 2_000;
/** Events are sorted by their own time, and may be stored a while after it; milliseconds. */
const LATE_MS = 60_000;

/** The list shows 12 digits; one that is not in the list is left to the server to refuse. */
async function wholeHash(client: Client, given: string): Promise<string> {
  if (given.length >= 40) return given;
  const { events } = await client.call(listEvents, { query: { limit: 1000 } });
  return events.find(({ hash }) => hash.startsWith(given))?.hash ?? given;
}

/** One line each, as they come. */
async function followEvents(
  { client, output, interrupted }: Session,
  query: NonNullable<Filling['query']>,
): Promise<void> {
  const seen = new Set<string>();
  let since = (query['since'] as string | undefined) ?? new Date(Date.now() - LATE_MS).toISOString();
  while (!interrupted.aborted) {
    const { events: found } = await client.call(listEvents, { query: { ...query, since, limit: 1000 } });
    for (const view of [...found].reverse()) {
      if (seen.has(view.hash)) continue;
      seen.add(view.hash);
      const { time, type, source, id, subject } = view.event;
      const words = [time, type, source, subject ?? (id.length > 40 ? `${id.slice(0, 39)}…` : id)];
      output.piece(view, `${words.map(harmless).join('  ')}\n`);
    }
    since = new Date(Math.max(Date.parse(since), Date.now() - LATE_MS)).toISOString();
    await sleep(LOOK_MS, undefined, { signal: interrupted }).catch(() => undefined);
  }
}

export function addEvents(program: Command): Command {
  const events = program.command('events').description('what happened, the newest first');
  events
    .command('list', { isDefault: true })
    .description('events of the last 30 days')
    .option('--source <source>', 'only from this source, for example api')
    .option('--type <type>', 'only of this type, for example dev.berth.registry.push')
    .option('--since <time>', 'only after this: RFC 3339, or an age such as 10m', parseSince)
    .argument('[name]', 'only about this application, or application/service; of --environment then')
    .option('-n, --limit <count>', 'how many', wholeNumber, 50)
    .option('-f, --follow', 'stays and shows new ones, the newest last')
    .action((name: string | undefined, { follow, ...options }: Options, command: Command) =>
      withSession(command, async (session) => {
        const { client, output, environment } = session;
        const [application, service] = name?.split('/') ?? [];
        const about = name === undefined ? {} : { environment, application, service };
        if (follow === true) return await followEvents(session, { ...options, ...about });
        const { events: found } = await client.call(listEvents, { query: { ...options, ...about } });
        output.data(found, () =>
          table(
            ['AGE', 'EVENT', 'TYPE', 'SOURCE', 'ID', 'STATE'],
            found.map(({ hash, answered, event }) => [
              ago(event.time),
              hash.slice(0, 12),
              harmless(event.type),
              harmless(event.source),
              harmless(event.id.length > 40 ? `${event.id.slice(0, 39)}…` : event.id),
              answered ? 'answered' : output.paint('yellow', 'stored'),
            ]),
            'No event matches.',
          ),
        );
      }),
    );
  events
    .command('show')
    .description('one event as it was stored')
    .argument('<hash>', 'its hash, or the beginning of it that the list shows')
    .action((given: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const found = await client.call(getEvent, { params: { hash: await wholeHash(client, given) } });
        output.data(found, () => JSON.stringify(found, undefined, 2));
      }),
    );
  addDeadLetters(events);
  return events;
}
