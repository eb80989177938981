import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { CloudEvent } from '../../shared/model/cloud-event.ts';
import { parseImageReference } from '../../shared/model/image.ts';
import { type RefusedImage, type Service, serviceId } from '../../shared/model/service.ts';
import { eventTypes } from '../../shared/workloads/answer.ts';
import { mend, sweepServices } from '../../shared/workloads/sweep.ts';
import { acceptEvent } from '../accept-event.ts';
import { type Services, services } from '../services.ts';
import { sweepIngress } from '../sweep-ingress.ts';

/** Compares services with what runs on the machines; what differs is mended, or becomes an event of its own. */
export async function sweep(
  made: Services,
  client: df.DurableClient,
  context: Pick<InvocationContext, 'log' | 'error'>,
): Promise<void> {
  const isLive = async (id: string): Promise<boolean> => {
    // An instance that is not known is an error here.
    const found = await client.getStatus(id).catch(() => undefined);
    return ['Running', 'Pending', 'Suspended'].includes(found?.runtimeStatus ?? '');
  };
  await reconsiderRefused(made, client, context);
  const findings = await sweepServices(made.workloads, isLive);
  // Adoptions come before the repairs that would otherwise make the same again.
  const order = ['remove', 'release', 'adopt', 'reserve', 'repair'] as const;
  for (const kind of order)
    await Promise.all(
      findings
        .filter(({ finding }) => finding === kind)
        .map(async (finding) => {
          try {
            context.log(`sweep: ${finding.finding} ${nameOf(finding)}: ${finding.reason}`);
            if (finding.finding !== 'repair') return await mend(made.workloads, finding);
            await acceptEvent(made, client, repairEvent(finding.service, finding.reason, made.now()));
          } catch (error) {
            context.error(`sweep: ${finding.finding} ${nameOf(finding)}:`, error);
          }
        }),
    );
}

/** Services whose image was refused by rules that have changed since: they are asked about again. */
async function reconsiderRefused(
  made: Services,
  client: df.DurableClient,
  context: Pick<InvocationContext, 'log' | 'error'>,
): Promise<void> {
  for await (const { value: service } of made.stores.services.list({})) {
    const { key, spec, refused } = service;
    if (refused === undefined) continue;
    try {
      const { repository } = parseImageReference(spec.image);
      if ((await made.trust.rules(repository, key.environment)) === refused.rules) continue;
      context.log(`sweep: ${serviceId(key)}: other rules for ${repository} than refused its image`);
      await acceptEvent(made, client, trustChangedEvent(service, refused, made.now()));
    } catch (error) {
      context.error(`sweep: ${serviceId(key)}:`, error);
    }
  }
}

function nameOf(finding: Awaited<ReturnType<typeof sweepServices>>[number]): string {
  switch (finding.finding) {
    case 'repair':
      return serviceId(finding.service.key);
    case 'adopt':
    case 'reserve':
      return `${serviceId(finding.replica.key)} slot ${finding.replica.slot}`;
    case 'remove':
      return `${finding.machine}/${finding.container.name}`;
    case 'release':
      return finding.reservation;
  }
}

/** One event for each service, revision and minute. */
const repairEvent = ({ key, revision }: Service, reason: string, now: Date): CloudEvent =>
  CloudEvent.parse({
    specversion: '1.0',
    id: `${revision}:${now.toISOString().slice(0, 16)}`,
    source: `sweep/${serviceId(key)}`,
    type: eventTypes.sweep,
    time: now.toISOString(),
    data: { key, reason },
  });

/** One event for each service, refusal and minute. */
const trustChangedEvent = ({ key, spec }: Service, { digest, rules }: RefusedImage, now: Date): CloudEvent =>
  CloudEvent.parse({
    specversion: '1.0',
    id: `trust:${rules}:${digest}:${now.toISOString().slice(0, 16)}`,
    source: `sweep/${serviceId(key)}`,
    type: eventTypes.trustChanged,
    time: now.toISOString(),
    data: { repository: parseImageReference(spec.image).repository, digest },
  });

app.timer('sweep-services', {
  schedule: '0 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: async (_timer, context) => {
    const [made, client] = [services(), df.getClient(context)];
    await sweepIngress(made, client).catch((error: unknown) => context.error('sweep: ingress:', error));
    await sweep(made, client, context);
  },
});
