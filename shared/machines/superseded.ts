import { Terminal } from '../model/errors.ts';
import type { Machine } from '../model/machine.ts';

/**
 * The record of a machine that is being made, at the attempt that somebody works for: an activity that comes late, or
 * whose machine was removed meanwhile, makes nothing more.
 * @throws Terminal `machine-superseded`
 */
export function expectedAttempt(name: string, machine: Machine | undefined, attempt: number): Machine {
  const state = machine?.status.state;
  if (
    machine !== undefined &&
    machine.attempt === attempt &&
    (state === 'provisioning' || state === 'booting')
  )
    return machine;
  throw new Terminal({
    code: 'machine-superseded',
    message:
      machine === undefined
        ? `The record of ${name} was removed while it was being made.`
        : `${name} is ${state} at attempt ${machine.attempt}, and no longer being made by attempt ${attempt}.`,
    remedy: 'Nothing is to be done: whoever changed it takes care of what there is.',
  });
}
