import { once } from 'node:events';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Session } from '../session.ts';
import { close, resize, sessionInput, sessionOutput } from './session-client.ts';

/** What shells end with after Ctrl-C. */
const INTERRUPTED = 130;

/**
 * Joins a session to this terminal, or to what stands in its place, until it ends.
 * @returns the exit code to end with
 */
export async function interact(
  { client, interrupted }: Pick<Session, 'client' | 'interrupted'>,
  session: string,
  { stdin, tty }: { readonly stdin: boolean; readonly tty: boolean },
): Promise<number> {
  const undo: (() => void)[] = [];
  try {
    if (tty) undo.push(...joinTerminal(client, session));
    if (stdin) undo.push(giveInput(client, session));
    const output = sessionOutput(client, session, interrupted);
    for (;;) {
      const { done, value } = await output.next();
      if (done === true) {
        if (!interrupted.aborted) return value ?? exitCodes.ok;
        await close(client, session).catch(() => undefined);
        return INTERRUPTED;
      }
      const target = process[value.stream];
      if (!target.write(value.bytes)) await once(target, 'drain');
    }
  } finally {
    for (const step of undo.reverse()) step();
  }
}

/** Keys go to the other side as they are pressed, Ctrl-C too; it is told when the window changes its size. */
function joinTerminal(client: Session['client'], session: string): (() => void)[] {
  const tell = () => {
    const { rows, columns } = process.stdout;
    if (rows > 0 && columns > 0) resize(client, session, rows, columns).catch(() => undefined);
  };
  process.stdin.setRawMode(true);
  process.stdout.on('resize', tell);
  return [() => process.stdin.setRawMode(false), () => process.stdout.off('resize', tell)];
}

function giveInput(client: Session['client'], session: string): () => void {
  const input = sessionInput(client, session);
  const { stdin } = process;
  const take = (bytes: Buffer) => {
    stdin.pause();
    input.write(bytes).then(
      () => stdin.resume(),
      () => undefined,
    );
  };
  const end = () => void input.end().catch(() => undefined);
  stdin.on('data', take);
  stdin.on('end', end);
  return () => {
    stdin.off('data', take);
    stdin.off('end', end);
    // Otherwise this process would wait for more.
    stdin.destroy();
  };
}

/** @throws Failure where a terminal is asked for and there is none */
export function requireTerminal(): void {
  if (process.stdin.isTTY && process.stdout.isTTY) return;
  throw new Failure({
    code: 'no-terminal',
    message: 'There is no terminal here for -t.',
    remedy: 'Leave -t out; -i alone passes input on.',
    exitCode: exitCodes.usage,
  });
}
