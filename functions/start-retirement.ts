import type { DurableClient } from 'durable-functions';
import { READY_EVENT } from '../shared/machines/machine-activities.ts';
import { type RetireMachine, removalId, retireMachine } from '../shared/machines/provisioning.ts';
import type { Machine } from '../shared/model/machine.ts';
import { isGoing, raiseEvent } from './instances.ts';

/**
 * Begins the removal of a machine, if it is not under way; who still waits for the machine is told.
 * @param how `expected`: the removal is off if the machine is not so any more
 * @returns the instance id of the removal
 */
export async function startRetirement(
  client: DurableClient,
  machine: Machine,
  reason: string,
  how: Pick<RetireMachine, 'expected' | 'forget'> & { readonly since: string },
): Promise<string> {
  const { name, pool, owner, status } = machine;
  const { since, ...options } = how;
  const instanceId = removalId(machine);
  if (!(await isGoing(client, instanceId)))
    await client.startNew(retireMachine.name, {
      instanceId,
      input: { pool, machine: name, reason, ...options },
    });
  if (options.expected === undefined && (status.state === 'provisioning' || status.state === 'booting'))
    await raiseEvent(client, owner, READY_EVENT, {
      ...machine,
      status: { state: 'retiring', since, reason },
    });
  return instanceId;
}
