import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { readUsage } from '../../shared/api/routes/usage.ts';
import { requireApplication } from '../known-application.ts';
import { bytesText, table } from '../output.ts';
import { withSession } from '../session.ts';
import { onMachine, type Rates, ratesOf } from '../usage.ts';

interface Options {
  readonly once?: boolean;
  readonly interval: number;
}

const seconds = (text: string): number => {
  const value = Number(text);
  if (!(value >= 1 && value <= 3600)) throw new InvalidArgumentError('Expected 1 to 3600.');
  return value;
};

export const addTop = (program: Command): Command =>
  program
    .command('top')
    .description('cpu, memory and network of replicas and machines')
    .argument('[application]', 'only of this application')
    .option('--once', 'shows it once: what was used in one second')
    .option('--interval <seconds>', 'between two looks', seconds, 2)
    .action((application: string | undefined, options: Options, command: Command) =>
      withSession(command, async (session) => {
        const { client, output, environment, interrupted } = session;
        const look = () => client.call(readUsage, { params: { environment }, query: { application } });
        let before = await look();
        if (before.replicas.length === 0) await requireApplication(session, application);
        while (!interrupted.aborted) {
          const pause = options.once === true ? 1000 : options.interval * 1000;
          await sleep(pause, undefined, { signal: interrupted }).catch(() => undefined);
          if (interrupted.aborted) return;
          const after = await look();
          const replicas = ratesOf(before.replicas, after.replicas);
          const machines = after.machines.map(({ name, cpu, memory }) => ({
            ...onMachine(replicas, name),
            cores: cpu,
            memoryLimit: memory * 1024 * 1024,
          }));
          before = after;
          const text = () => `${machineTable(machines)}\n\n${replicaTable(replicas, environment)}`;
          if (options.once === true) return output.data({ machines, replicas }, text);
          const clear = process.stdout.isTTY ? '\x1b[H\x1b[2J' : '';
          output.piece({ machines, replicas }, `${clear}${text()}\n`);
        }
      }),
    );

const cores = (value: number | undefined, of?: number): string =>
  value === undefined ? '-' : `${value.toFixed(2)}${of === undefined ? '' : ` of ${of}`}`;
const bytes = (value: number | undefined, of?: number): string =>
  value === undefined
    ? '-'
    : `${bytesText(value)}${of === undefined || of === 0 ? '' : ` of ${bytesText(of)}`}`;
const rate = (value: number | undefined): string =>
  value === undefined ? '-' : `${bytesText(Math.round(value))}/s`;

const machineTable = (machines: readonly (Rates & { readonly cores: number })[]): string =>
  table(
    ['MACHINE', 'CPU OF REPLICAS', 'MEMORY OF REPLICAS', 'RECEIVED', 'SENT'],
    machines.map((one) => [
      one.name,
      cores(one.cpu, one.cores),
      bytes(one.memory, one.memoryLimit),
      rate(one.received),
      rate(one.sent),
    ]),
    'No machine carries a replica.',
  );

const replicaTable = (replicas: readonly Rates[], environment: string): string =>
  table(
    ['REPLICA', 'CPU', 'MEMORY', 'RECEIVED', 'SENT', 'MACHINE'],
    [...replicas]
      .sort((a, b) => (b.cpu ?? -1) - (a.cpu ?? -1))
      .map((one) => [
        one.name,
        cores(one.cpu),
        bytes(one.memory, one.memoryLimit),
        rate(one.received),
        rate(one.sent),
        one.machine,
      ]),
    `No replica runs in environment ${environment}.`,
  );
