import type { DurableClient } from 'durable-functions';
import { type Deliver, deliverEvents, deliveryId, RETRY_NOW } from '../shared/events/deliver-events.ts';
import { isGoing, raiseEvent } from './instances.ts';

/** Starts delivering a queue; where that goes on already, it will find what is new. */
export async function startDelivery(client: DurableClient, input: Deliver): Promise<void> {
  const instanceId = await deliveryId(input);
  try {
    await client.startNew(deliverEvents.name, { instanceId, input });
  } catch (error) {
    if (!(await isGoing(client, instanceId))) throw error;
  }
}

/** The same, and where it waits for the next attempt it waits no longer. */
export async function deliverNow(client: DurableClient, input: Deliver): Promise<void> {
  const instanceId = await deliveryId(input);
  if (await isGoing(client, instanceId)) await raiseEvent(client, instanceId, RETRY_NOW, null);
  else await startDelivery(client, input);
}
