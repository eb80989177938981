import type { DurableClient } from 'durable-functions';
import { drainId, drainMachine } from '../shared/machines/replacement/drain.ts';
import type { MachineName } from '../shared/model/names.ts';
import { isGoing } from './instances.ts';

/** Has a cordoned machine followed until it is empty, if it is not already. */
export async function startDrain(client: DurableClient, machine: MachineName): Promise<void> {
  const instanceId = drainId(machine);
  if (!(await isGoing(client, instanceId)))
    await client.startNew(drainMachine.name, { instanceId, input: { machine } });
}
