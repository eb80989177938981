import type { Command } from 'commander';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { type CopyPlace, copyPlace, scpWord } from '../../machine/copy-place.ts';
import { withMachines } from '../../machine/machine-session.ts';
import { runOnTerminal, type SshTarget, sshOptions, sshTarget } from '../../machine/secure-shell.ts';

interface Options {
  readonly identity?: string;
  readonly recursive?: boolean;
  readonly quiet?: boolean;
  readonly preserve?: boolean;
}

export function addScp(machine: Command): void {
  machine
    .command('scp')
    .description('copies files to and from machines: berth machine scp notes.txt NAME:/tmp')
    .argument('<from>', 'path here, or NAME:path')
    .argument('<to>', 'path here, or NAME:path')
    .option('-i, --identity <file>', 'private key; those that the machine knows if not said')
    .option('-r, --recursive', 'folders with what is in them')
    .option('-p, --preserve', 'keeps times and modes')
    .option('-q, --quiet', 'without a meter')
    .action((from: string, to: string, options: Options, command: Command) =>
      withMachines(command, async (session) => {
        const places = [copyPlace(from), copyPlace(to)] as const;
        const targets = new Map<string, SshTarget>();
        for (const { machine: name } of places)
          if (name !== undefined && !targets.has(name)) targets.set(name, await sshTarget(session, name));
        const [first] = targets.values();
        if (first === undefined) throw bothHere(from, to);
        const word = (place: CopyPlace) => scpWord(place, targets);
        const code = await runOnTerminal('scp', [
          ...sshOptions(first, session.folder, { identity: options.identity }),
          // Between two machines through this computer: they do not know each other.
          ...(places.every(({ machine: name }) => name !== undefined) ? ['-3'] : []),
          ...(options.recursive === true ? ['-r'] : []),
          ...(options.preserve === true ? ['-p'] : []),
          ...(options.quiet === true ? ['-q'] : []),
          ...['--', word(places[0]), word(places[1])],
        ]);
        if (code !== 0)
          throw new Failure({
            code: 'scp-failed',
            message: `scp ended with ${code}: ${from} was not copied to ${to}, or not all of it. What it says stands above.`,
            remedy: `See that the paths are right; if it timed out, your address may not be admitted: berth machine allow-from ${first.machine.name}`,
            exitCode: code,
          });
      }),
    );
}

const bothHere = (from: string, to: string): Failure =>
  new Failure({
    code: 'scp-without-machine',
    message: `Neither ${from} nor ${to} is on a machine.`,
    remedy: 'Write the one that is as NAME:path; a path here whose name has a colon as ./path.',
    exitCode: exitCodes.usage,
  });
