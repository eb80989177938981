import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from '../../shared/model/machine.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { MachineSession } from './machine-session.ts';

/** Milliseconds between two looks. */
const EVERY = 1_000;

/**
 * Waits until nothing is on a machine, and says what still is. Ctrl-C ends the waiting, not the drain.
 * @returns the machine as it was last: one that was to be retired may be gone
 * @throws Failure `no-longer-waiting`, `drain-called-off`
 */
export async function watchDrain(session: MachineSession, begun: Machine): Promise<Machine> {
  const { output, interrupted } = session;
  let said: string | undefined;
  for (let machine = begun; ; ) {
    const { name, cordon } = machine;
    if (cordon === undefined)
      throw new Failure({
        code: 'drain-called-off',
        message: `${name} was uncordoned while it was drained.`,
        remedy: `Drain it again: berth machine drain ${name}`,
        exitCode: exitCodes.failed,
      });
    if (cordon.drainedAt !== undefined || machine.status.state === 'retiring') return machine;
    const words = [cordon.left?.join(', '), cordon.waits].filter((one) => one !== undefined).join(': ');
    if (words !== '' && words !== said) output.say(`${name}: ${words}`);
    said = words;
    await sleep(EVERY, undefined, { signal: interrupted }).catch(() => undefined);
    if (interrupted.aborted)
      throw new Failure({
        code: 'no-longer-waiting',
        message: `No longer waiting; ${name} is drained all the same.`,
        remedy: `Look at it: berth machine inspect ${name}; call it off: berth machine uncordon ${name}`,
        exitCode: exitCodes.failed,
      });
    const now = await session.find(name).catch((error: unknown) => {
      if (error instanceof Failure && error.code === 'machine-not-found') return undefined;
      throw error;
    });
    if (now === undefined) return machine;
    machine = now;
  }
}
