import type { Command } from 'commander';
import { getEvent, listEvents } from '../../shared/api/routes/events.ts';
import type { Client } from '../client.ts';
import { ago, harmless, table } from '../output.ts';
import { withSession } from '../session.ts';
import { parseSince } from '../since.ts';
import { addDeadLetters } from './dead-letters.ts';

interface Options {
  readonly source?: string;
  readonly type?: string;
  readonly since?: string;
  readonly limit: number;
}

/** The list shows 12 digits; one that is not in the list is left to the server to refuse. */
async function wholeHash(client: Client, given: string): Promise<string> {
  if (given.length >= 40) return given;
  const { events } = await client.call(listEvents, { query: { limit: 1000 } });
  return events.find(({ hash }) => hash.startsWith(given))?.hash ?? given;
}

export function addEvents(program: Command): Command {
  const events = program.command('events').description('what happened, the newest first');
  events
    .command('list', { isDefault: true })
    .description('events of the last 30 days')
    .option('--source <source>', 'only from this source, for example api')
    .option('--type <type>', 'only of this type, for example dev.berth.registry.push')
    .option('--since <time>', 'only after this: RFC 3339, or an age such as 10m', parseSince)
    .option('-n, --limit <count>', 'how many', Number, 50)
    .action((options: Options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { events: found } = await client.call(listEvents, { query: { ...options } });
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
