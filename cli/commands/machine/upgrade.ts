import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { type MachineSession, withMachines } from '../../machine/machine-session.ts';
import { notReached, sshOptions, sshTarget } from '../../machine/secure-shell.ts';
import { upgradeScript } from '../../machine/upgrade-script.ts';

export function addUpgrade(machine: Command): void {
  machine
    .command('upgrade')
    .description("brings the newest Docker of the machines' own distribution; containers go on meanwhile")
    .argument('<machines...>')
    .option('-i, --identity <file>', 'private key; those that the machine knows if not said')
    .action((names: string[], { identity }: { identity?: string }, command: Command) =>
      withMachines(command, async (session) => {
        for (const name of new Set(names)) await upgrade(session, name, identity);
      }),
    );
}

async function upgrade(session: MachineSession, name: string, identity: string | undefined): Promise<void> {
  const { output } = session;
  const target = await sshTarget(session, name);
  const args = [
    ...sshOptions(target, session.folder, { identity, batch: true }),
    ...['-l', target.user, '--', target.address, 'sudo -n sh -s'],
  ];
  const { code, said } = await run(args, upgradeScript, output.say);
  if (code === 255) throw notReached(name);
  const version = (which: string) => new RegExp(`^berth-${which}: (.*)$`, 'm').exec(said)?.[1] ?? 'unknown';
  if (code !== 0)
    throw new Failure({
      code: 'upgrade-failed',
      message: `${name}: its package manager ended with ${code}. What it says stands above.`,
      remedy: `Its engine is as it was, or look: berth machine ssh ${name}; berth machine logs ${name}`,
      exitCode: exitCodes.failed,
    });
  const [before, after] = [version('before'), version('after')];
  output.piece(
    { machine: name, before, after },
    before === after ? `${name} has the newest already: ${after}\n` : `${name}: ${before} → ${after}\n`,
  );
}

/** What it writes goes to the user line by line, but for the two lines that are for us. */
const run = (
  args: readonly string[],
  script: string,
  say: (line: string) => void,
): Promise<{ code: number; said: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn('ssh', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    let line = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const lines = (line + text).split('\n');
      line = lines.pop() ?? '';
      for (const each of lines) if (!each.startsWith('berth-')) say(each);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 255, said }));
    child.stdin.on('error', () => undefined).end(script);
  });
