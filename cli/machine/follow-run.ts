import { setTimeout as sleep } from 'node:timers/promises';
import { readMachineRunOutput } from '../../shared/api/routes/machine-runs.ts';
import type { MachineRun } from '../../shared/model/machine-run.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Session } from '../session.ts';

const SOON = 300;
const LATEST = 1_500;

/** What `timeout` and shells end with. */
const TIMED_OUT = 124;
const CANCELED = 130;

/** What the command ends with: the exit code of the command there. */
export function exitCodeOf({ status }: MachineRun): number {
  switch (status.state) {
    case 'succeeded':
      return exitCodes.ok;
    case 'failed':
      // Some codes of Windows are larger than a process here can end with.
      return status.exitCode === undefined || (status.exitCode & 255) === 0
        ? exitCodes.failed
        : status.exitCode & 255;
    case 'timed-out':
      return TIMED_OUT;
    case 'canceled':
      return CANCELED;
    default:
      return exitCodes.failed;
  }
}

/** Shows the output of a run as it comes, to the end. @returns the run; undefined if the user ended the command */
export async function followRun(
  { client, interrupted }: Pick<Session, 'client' | 'interrupted'>,
  id: string,
  show: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void,
): Promise<MachineRun | undefined> {
  const at = { stdout: 0, stderr: 0 };
  let pause = SOON;
  while (!interrupted.aborted) {
    const seen = await client.call(readMachineRunOutput, { params: { run: id }, query: { ...at } });
    let some = false;
    for (const stream of ['stdout', 'stderr'] as const) {
      const bytes = Buffer.from(seen[stream].data, 'base64');
      at[stream] = seen[stream].next;
      if (bytes.length === 0) continue;
      some = true;
      show(stream, bytes);
    }
    if (seen.complete) return seen.run;
    pause = some ? SOON : Math.min(pause * 1.3, LATEST);
    await sleep(some ? 0 : pause, undefined, { signal: interrupted }).catch(() => undefined);
  }
  return undefined;
}

/** Shows runs that go on beside each other, each line with its machine where there are several. @returns the exit code */
export async function followRuns(session: Session, runs: readonly MachineRun[]): Promise<number> {
  const { output } = session;
  const width = Math.max(...runs.map(({ machine }) => machine.length));
  const ended = await Promise.all(
    runs.map(async (run) => {
      const lines = { stdout: byLine(), stderr: byLine() };
      const prefixed = (stream: 'stdout' | 'stderr', text: readonly string[]) => {
        for (const line of text)
          process[stream].write(`${output.paint('dim', `${run.machine.padEnd(width)} |`)} ${line}\n`);
      };
      const show = (stream: 'stdout' | 'stderr', bytes: Uint8Array): void => {
        if (output.json)
          for (const text of lines[stream].take(bytes))
            output.piece({ run: run.id, machine: run.machine, stream, text }, '');
        else if (runs.length === 1) process[stream].write(bytes);
        else prefixed(stream, lines[stream].take(bytes));
      };
      const last = await followRun(session, run.id, show);
      for (const stream of ['stdout', 'stderr'] as const) {
        const rest = lines[stream].rest();
        if (output.json)
          for (const text of rest) output.piece({ run: run.id, machine: run.machine, stream, text }, '');
        else prefixed(stream, rest);
      }
      return last;
    }),
  );
  const found = ended.filter((run) => run !== undefined);
  if (found.length < runs.length)
    throw new Failure({
      code: 'interrupted',
      message: `No longer watching; ${runs.length === 1 ? 'the command goes' : 'the commands go'} on.`,
      remedy: `See the rest: berth machine run --log ${idFor(runs)}; end it: berth machine run --cancel ${idFor(runs)}`,
      exitCode: exitCodes.failed,
    });
  if (output.json) output.piece({ runs: found }, '');
  for (const run of found) sayEnd(run, runs.length > 1, output.say);
  return Math.max(...found.map(exitCodeOf));
}

const idFor = (runs: readonly MachineRun[]): string =>
  (runs.length === 1 ? runs[0]?.id : runs[0]?.batch) ?? '';

/** A command's own exit code needs no words, unless there are several. */
function sayEnd({ machine, status }: MachineRun, isOfSeveral: boolean, say: (words: string) => void): void {
  if (status.state === 'failed' && status.exitCode === undefined) say(`${machine}: ${status.reason}`);
  else if (status.state === 'failed' && isOfSeveral) say(`${machine}: ended with ${status.exitCode}`);
  else if (status.state === 'timed-out') say(`${machine}: ${status.reason}`);
  else if (status.state === 'canceled') say(`${machine}: canceled by ${status.by}`);
}

/** Bytes as whole lines: what begins a line waits for its end. */
export function byLine() {
  const decoder = new TextDecoder();
  let rest = '';
  return {
    take(bytes: Uint8Array): string[] {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      return lines;
    },
    rest: (): string[] => (rest === '' ? [] : [rest]),
  };
}
