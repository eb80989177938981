import type { DurableClient } from 'durable-functions';
import { CloudEvent } from '../shared/model/cloud-event.ts';
import type { Machine } from '../shared/model/machine.ts';
import { ServiceKey } from '../shared/model/service.ts';
import { eventTypes } from '../shared/workloads/answer.ts';
import { acceptEvent } from './accept-event.ts';
import type { Services } from './services.ts';

/**
 * Asks services that have replicas on a machine to look at them at once: their own rollouts move or replace them.
 * @param services their ids
 * @param why `period`: the same machine, service and period are one event
 */
export async function askToMove(
  { name }: Pick<Machine, 'name'>,
  services: readonly string[],
  { reason, period }: { readonly reason: string; readonly period: string },
  made: Services,
  client: DurableClient,
): Promise<void> {
  const time = made.now().toISOString();
  for (const id of services) {
    const [environment, application, service] = id.split('.');
    const key = ServiceKey.safeParse({ environment, application, service }).data;
    if (key === undefined) continue;
    const event = CloudEvent.parse({
      specversion: '1.0',
      id: `${id}:${period}`,
      source: `machines/${name}/leaves`,
      type: eventTypes.sweep,
      time,
      data: { key, reason },
    });
    await acceptEvent(made, client, event);
  }
}
