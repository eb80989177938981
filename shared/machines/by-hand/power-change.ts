import { z } from 'zod';
import { Terminal } from '../../model/errors.ts';
import { Machine } from '../../model/machine.ts';
import { MachineName } from '../../model/names.ts';
import { signature } from '../../model/signature.ts';
import type { Progress } from '../cloud.ts';
import { BY_HAND } from '../machine-names.ts';

export const PowerAction = z.enum(['start', 'stop', 'restart']);
export type PowerAction = z.infer<typeof PowerAction>;

const change = z.object({ machine: MachineName, action: PowerAction });
export type ChangePower = z.infer<typeof change>;

/** Orchestration: has ARM do it, and waits for the machine's report where it starts. Instance id `power-<vm>-<letters>`. */
export const changePower = signature('change-power', {
  input: change,
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('done') }),
    z.object({ status: z.literal('failed'), code: z.string(), reason: z.string() }),
  ]),
});
export type PowerChanged = z.infer<typeof changePower.output>;

/** Asks ARM. Refuses with `machine-superseded` where the record is no longer of this orchestration. */
export const askForPower = signature('ask-for-power', {
  input: change.extend({ owner: z.string() }),
  output: z.custom<Progress>(),
});

/** Records what became of it, if the record is still of this orchestration; answers the record. */
export const notePower = signature('note-power', {
  input: z.object({
    machine: MachineName,
    owner: z.string(),
    state: z.enum(['stopped', 'starting', 'ready', 'silent']),
  }),
  output: Machine.nullable(),
});

/** From which states each may be asked for. `silent`: somebody may have switched it off from inside. */
const FROM: Readonly<Record<PowerAction, ReadonlySet<Machine['status']['state']>>> = {
  start: new Set(['stopped', 'silent']),
  stop: new Set(['ready', 'silent']),
  restart: new Set(['ready', 'silent']),
};

/**
 * The record once the change was asked for. Pure.
 * @param owner instance id of the orchestration that carries it out
 * @throws Terminal 409 `machine-state` or `machine-of-pool`
 */
export function beginPower(machine: Machine, action: PowerAction, owner: string, now: Date): Machine {
  const { name, pool, status } = machine;
  if (pool !== BY_HAND && action !== 'restart')
    throw new Terminal({
      code: 'machine-of-pool',
      status: 409,
      message: `${name} belongs to the pool ${pool}, which makes and removes its machines as they are needed: it is not ${action === 'stop' ? 'stopped' : 'started'} by hand.`,
      remedy: `To be rid of it: berth machine rm ${name} --drain`,
    });
  if (!FROM[action].has(status.state))
    throw new Terminal({
      code: 'machine-state',
      status: 409,
      message: `${name} is ${status.state}; expected ${[...FROM[action]].join(' or ')} to ${action} it.`,
      remedy: `Look at it with berth machine inspect ${name}, and ask again when it is so.`,
    });
  // While it goes down nothing is expected of it: a last report must not call it ready.
  const state = action === 'start' ? 'starting' : 'stopping';
  return { ...machine, owner, status: { state, since: now.toISOString() } };
}
