import type { MachineOperation } from '../../shared/api/routes/by-hand.ts';
import type { Machine } from '../../shared/model/machine.ts';
import type { MachineSession } from './machine-session.ts';
import { watchOperation } from './watch-operation.ts';

interface Begun {
  readonly machine: Machine;
  readonly operation: MachineOperation;
}

/**
 * Asks the same of several machines at once, and waits for all: one that fails does not keep the others from it.
 * @param ask begins it for one
 * @throws the failure of the first that failed, after all have ended
 */
export async function askAll<B extends Begun>(
  session: MachineSession,
  names: readonly string[],
  wait: boolean,
  ask: (name: string) => Promise<B>,
  done: (begun: B, now: Machine | undefined) => Promise<void> | void,
): Promise<void> {
  const outcomes = await Promise.allSettled(
    [...new Set(names)].map(async (name) => {
      const begun = await ask(name);
      if (wait) await watchOperation(session, begun.operation);
      const isGone = wait && begun.operation.kind === 'remove';
      await done(begun, wait && !isGone ? await session.find(name) : undefined);
    }),
  );
  const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  for (const error of failed.slice(1))
    session.output.say(`berth: ${error instanceof Error ? error.message : String(error)}`);
  if (failed.length > 0) throw failed[0];
}
