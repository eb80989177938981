import { startMachineRuns } from '../../shared/api/routes/machine-runs.ts';
import type { MachineRun } from '../../shared/model/machine-run.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Session } from '../session.ts';
import { byLine, followRun } from './follow-run.ts';

/**
 * Runs a script of ours on a machine by Run Command, which needs neither ssh nor a way to the machine from here.
 * @param line gets each line that it writes, as it comes
 * @throws Failure what the API answered, `interrupted`
 */
export async function runScript(
  session: Session,
  machine: string,
  name: string,
  script: string,
  line: (stream: 'stdout' | 'stderr', text: string) => void,
): Promise<MachineRun> {
  const { runs } = await session.client.call(startMachineRuns, {
    json: { on: { machines: [machine] }, script, name, parameters: {}, protectedParameters: {} },
  });
  const [run] = runs;
  if (run === undefined)
    throw new Failure({
      code: 'nothing-run',
      message: `${name} was not run on ${machine}.`,
      remedy: `Look at it: berth machine inspect ${machine}`,
      exitCode: exitCodes.failed,
    });
  const lines = { stdout: byLine(), stderr: byLine() };
  const ended = await followRun(session, run.id, (stream, bytes) => {
    for (const text of lines[stream].take(bytes)) line(stream, text);
  });
  for (const stream of ['stdout', 'stderr'] as const)
    for (const text of lines[stream].rest()) line(stream, text);
  if (ended !== undefined) return ended;
  throw new Failure({
    code: 'interrupted',
    message: `No longer watching; ${name} goes on on ${machine}.`,
    remedy: `See the rest: berth machine run --log ${run.id}; end it: berth machine run --cancel ${run.id}`,
    exitCode: exitCodes.failed,
  });
}
