import { type Command, InvalidArgumentError, Option } from 'commander';
import { exitCodeOf } from '../../machine/follow-run.ts';
import { type MachineSession, withMachines } from '../../machine/machine-session.ts';
import { runScript } from '../../machine/run-script.ts';
import { notReached, runOnTerminal, sshOptions, sshTarget } from '../../machine/secure-shell.ts';
import { posixQuoted } from '../../machine/shell-script.ts';
import { harmless } from '../../output.ts';

/** Whose journal. */
const units = {
  engine: ['docker.service', 'containerd.service'],
  agent: ['berth-agent.service', 'berth-register.service'],
  boot: ['cloud-init-local.service', 'cloud-init.service', 'cloud-config.service', 'cloud-final.service'],
} as const;

interface Options {
  readonly of?: keyof typeof units;
  readonly follow?: boolean;
  readonly lines: number;
  readonly since?: string;
  readonly identity?: string;
}

export function addLogs(machine: Command): void {
  machine
    .command('logs')
    .description("journal of a machine's engine and of Berth's agent on it")
    .argument('<machine>')
    .addOption(
      new Option('--of <whom>', 'of one alone').choices(Object.keys(units) as (keyof typeof units)[]),
    )
    .option('-f, --follow', 'goes on with what comes')
    .option('-n, --lines <count>', 'how many of the last', count, 100)
    .option('--since <time>', "as journalctl takes it: '10 min ago', '2026-11-25 08:00'")
    .option('-i, --identity <file>', 'private key; those that the machine knows if not said')
    .action((name: string, options: Options, command: Command) =>
      withMachines(command, async (session) => {
        const journal = journalOf(options);
        const machine = await session.find(name);
        // Nobody has a key for machines of pools; Run Command gets there, and cannot go on and on.
        if (machine.hand === undefined && options.follow !== true)
          return await throughRunCommand(session, name, journal);
        const target = await sshTarget(session, name);
        const code = await runOnTerminal('ssh', [
          ...sshOptions(target, session.folder, { identity: options.identity }),
          ...['-l', target.user, '--', target.address],
          `sudo -n ${journal}`,
        ]);
        if (code === 255 && !session.interrupted.aborted) throw notReached(name);
        process.exitCode = session.interrupted.aborted ? 0 : code;
      }),
    );
}

const journalOf = (options: Options): string =>
  [
    'journalctl --no-pager --output=short-iso',
    ...(options.of === undefined ? [...units.engine, ...units.agent] : units[options.of]).map(
      (unit) => `--unit=${unit}`,
    ),
    `--lines=${options.lines}`,
    ...(options.since === undefined ? [] : [`--since=${posixQuoted(options.since)}`]),
    ...(options.follow === true ? ['--follow'] : []),
  ].join(' ');

async function throughRunCommand(session: MachineSession, name: string, journal: string): Promise<void> {
  const run = await runScript(session, name, 'journalctl', `${journal}\n`, (stream, line) =>
    process[stream].write(`${harmless(line)}\n`),
  );
  process.exitCode = exitCodeOf(run);
}

function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('Expected a whole number of lines.');
  return Number(text);
}
