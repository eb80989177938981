import { randomUUID } from 'node:crypto';
import type { CloudEvent } from '../../model/cloud-event.ts';
import type { Subscription } from '../../model/subscription.ts';
import { messageOf } from './message.ts';
import type { Delivered, OpenSinks } from './sinks.ts';

/** Sends an event that tells of nothing, past all queues. */
export async function ping(
  { open, now }: { readonly open: OpenSinks; readonly now: () => Date },
  { name, sink, format }: Subscription,
): Promise<Delivered> {
  const event: CloudEvent = {
    specversion: '1.0',
    id: randomUUID(),
    source: `registry/subscriptions/${name}`,
    type: 'dev.berth.registry.ping',
    subject: name,
    time: now().toISOString(),
    datacontenttype: 'application/json',
    data: { subscription: name },
  };
  const opened = await open(name, sink);
  try {
    return await opened.send(await messageOf(format, `~subscriptions/${name}`, event));
  } finally {
    await opened.close();
  }
}
