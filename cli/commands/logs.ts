import { type Command, InvalidArgumentError } from 'commander';
import { getLogRetention, putLogRetention } from '../../shared/api/routes/logs.ts';
import { listServices } from '../../shared/api/routes/services.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { findPart } from '../names.ts';
import { type Colour, harmless } from '../output.ts';
import { readManyLogs } from '../read-many-logs.ts';
import { type Session, withSession } from '../session.ts';
import { parseSince } from '../since.ts';

interface Options {
  readonly follow?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly tail?: number;
  readonly grep?: string;
  readonly ignoreCase?: boolean;
  readonly replica?: string;
}

/** Lines that are shown where nothing says how many. */
const USUAL = 1000;

const lines = (text: string): number => {
  if (!/^\d{1,6}$/.test(text) || Number(text) > 100_000)
    throw new InvalidArgumentError('Expected 0 to 100000.');
  return Number(text);
};

export function addLogs(program: Command): void {
  program
    .command('logs')
    .description('log lines of all replicas in the order of time, also of those that are gone')
    .argument(
      '[name]',
      'application, service, application/service or application/service/replica; all if left out',
    )
    .option('-f, --follow', 'stay and show new lines, also of new replicas')
    .option('--since <time>', 'only lines after this: RFC 3339, or an age such as 10m', parseSince)
    .option('--until <time>', 'only lines until this', parseSince)
    .option('-n, --tail <lines>', `begin with this many last lines of all; ${USUAL} without --since`, lines)
    .option('--grep <text>', 'only lines that have this text in them')
    .option('-i, --ignore-case', 'upper and lower case are the same to --grep')
    .option('--replica <replica>', 'only of this one: its slot (0), or slot and generation (0.g1)')
    .action((name: string | undefined, options: Options, command: Command) =>
      withSession(command, (session) => show(session, name, options)),
    );
  program
    .command('log-retention')
    .description('for how many days logs of an environment are kept')
    .argument('[days]', '1 to 730; shows it if left out', lines)
    .action((days: number | undefined, _options, command: Command) =>
      withSession(command, async ({ client, output, environment }) => {
        const params = { environment };
        const found =
          days === undefined
            ? await client.call(getLogRetention, { params })
            : await client.call(putLogRetention, { params, json: { days } });
        output.data(found, () => `${environment}: ${found.days} days`);
      }),
    );
}

async function show(session: Session, name: string | undefined, options: Options): Promise<void> {
  const { client, output, environment, interrupted } = session;
  const { follow, since, until, grep, ignoreCase } = options;
  const wanted = await selectionOf(session, name, options.replica);
  const tail = options.tail ?? (since === undefined ? USUAL : undefined);
  const query = { ...wanted, follow, since, until, tail, contains: grep, ignoreCase };
  const paint = painted();
  let width = 0;
  let some = false;
  for await (const item of readManyLogs(client, environment, query, interrupted)) {
    if ('note' in item) {
      output.say(item.note);
      continue;
    }
    some = true;
    const { line } = item;
    width = Math.max(width, line.replica.length);
    const label = output.paint(paint(line.replica), line.replica.padEnd(width));
    output.piece(line, `${label}  ${harmless(line.text)}\n`);
  }
  if (some || follow === true) return;
  const known = await client.call(listServices, { params: { environment } });
  const { application, service } = wanted;
  if (
    application !== undefined &&
    known.services.every(
      ({ key }) => key.application !== application || (service ?? key.service) !== key.service,
    )
  )
    throw unknown(name ?? '', environment);
  output.say(`No such line was written in environment ${environment}.`);
}

const COLOURS: readonly Colour[] = ['cyan', 'yellow', 'green', 'magenta', 'blue'];

/** Each replica gets the next colour. */
function painted(): (replica: string) => Colour {
  const given = new Map<string, Colour>();
  return (replica) => {
    const colour = given.get(replica) ?? COLOURS[given.size % COLOURS.length] ?? 'dim';
    given.set(replica, colour);
    return colour;
  };
}

/** What is gone has logs too: only a name without a slash has to be that of something deployed. */
async function selectionOf(
  { client, environment }: Session,
  name: string | undefined,
  replica: string | undefined,
): Promise<Record<string, string | undefined>> {
  if (name === undefined) return { replica };
  const [application = '', service, named] = name.split('/');
  if (service !== undefined) return { application, service, replica: named ?? replica };
  const { services } = await client.call(listServices, { params: { environment } });
  const known = services.map(({ key }) => ({ application: key.application, part: key.service }));
  if (known.some((one) => one.application === name)) return { application, replica };
  if (known.some((one) => one.part === name)) {
    const found = findPart(name, known, 'service');
    return { application: found.application, service: found.part, replica };
  }
  throw unknown(name, environment);
}

const unknown = (name: string, environment: string): Failure =>
  new Failure({
    code: 'service-not-found',
    message: `There is no application or service ${name} in environment ${environment}, and nothing is kept of one.`,
    remedy: 'Of one that was removed say both: berth logs application/service',
    exitCode: exitCodes.notFound,
  });
