import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { listReplicas, type ReplicaView, readReplicaLogs } from '../../shared/api/routes/services.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { harmless } from '../output.ts';
import { readLog } from '../read-log.ts';
import { type Session, withSession } from '../session.ts';
import { parseSince } from '../since.ts';

interface Options {
  readonly follow?: boolean;
  readonly since?: string;
  readonly tail?: number;
}

export const addLogs = (program: Command): Command =>
  program
    .command('logs')
    .description('log lines of all replicas, each with its replica before it')
    .argument('[name]', 'application, application/service or application/service/replica; all if left out')
    .option('-f, --follow', 'stay and show new lines, also of new replicas')
    .option('--since <time>', 'only lines after this: RFC 3339, or an age such as 10m', parseSince)
    .option('-n, --tail <lines>', 'begin with this many last lines of each', Number)
    .action((name: string | undefined, options: Options, command: Command) =>
      withSession(command, (session) =>
        options.follow === true ? follow(session, name, options) : once(session, name, options),
      ),
    );

async function replicasNamed({ client, environment }: Session, name = ''): Promise<ReplicaView[]> {
  const [application, service, replica] = name.split('/');
  const { replicas } = await client.call(listReplicas, { params: { environment } });
  return replicas.filter(
    (candidate) =>
      (!application || candidate.key.application === application) &&
      (!service || candidate.key.service === service) &&
      (!replica || candidate.name === replica || String(candidate.slot) === replica) &&
      candidate.status.state !== 'reserved',
  );
}

const labelOf = ({ key, name }: ReplicaView): string => `${key.application}/${key.service}/${name}`;

async function show(
  session: Session,
  replica: ReplicaView,
  query: Record<string, string | number | boolean | undefined>,
) {
  const { client, output, environment, interrupted } = session;
  const { application, service } = replica.key;
  const params = { environment, application, service, replica: replica.name };
  const label = labelOf(replica);
  for await (const line of readLog(client, readReplicaLogs, { params, query }, interrupted))
    output.piece({ replica: label, ...line }, `${output.paint('dim', label)}  ${harmless(line.text)}\n`);
}

async function once(session: Session, name: string | undefined, options: Options): Promise<void> {
  const replicas = await replicasNamed(session, name);
  if (replicas.length === 0)
    throw new Failure({
      code: 'replica-not-found',
      message: `No replica${name === undefined ? '' : ` of ${name}`} has run in environment ${session.environment}.`,
      remedy: `List them: berth ps --environment ${session.environment}`,
      exitCode: exitCodes.notFound,
    });
  for (const replica of replicas) await show(session, replica, { since: options.since, tail: options.tail });
}

/** Replicas that a rollout adds are followed too, from their first line. */
async function follow(session: Session, name: string | undefined, options: Options): Promise<void> {
  const { interrupted, output } = session;
  const followed = new Map<string, Promise<void>>();
  let isFirst = true;
  while (!interrupted.aborted) {
    for (const replica of await replicasNamed(session, name)) {
      const label = labelOf(replica);
      if (followed.has(label)) continue;
      const query = isFirst ? { since: options.since, tail: options.tail, follow: true } : { follow: true };
      const shown = show(session, replica, query).catch((error: unknown) => {
        output.say(`${label}: ${error instanceof Error ? error.message : String(error)}`);
      });
      followed.set(label, shown);
    }
    if (isFirst && followed.size === 0) output.say('Nothing runs yet; waiting.');
    isFirst = false;
    await sleep(1000, undefined, { signal: interrupted }).catch(() => undefined);
  }
  await Promise.all(followed.values());
}
