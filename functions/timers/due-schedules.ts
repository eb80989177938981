import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { CloudEvent } from '../../shared/model/cloud-event.ts';
import { type Job, jobId } from '../../shared/model/job.ts';
import { latestDue } from '../../shared/scheduling/due.ts';
import { eventTypes } from '../../shared/workloads/answer.ts';
import { placeOf } from '../../shared/workloads/stores.ts';
import { acceptEvent } from '../accept-event.ts';
import { type Services, services } from '../services.ts';

/** Makes an event of every schedule that is due. The due time is its id: a run cannot happen twice. */
export async function dueSchedules(
  made: Services,
  client: df.DurableClient,
  context: Pick<InvocationContext, 'error'>,
): Promise<void> {
  const now = made.now();
  for await (const { value: job } of made.stores.jobs.list({})) {
    try {
      await acceptDue(made, client, job, now);
    } catch (error) {
      context.error(`schedule of ${jobId(job.key)}:`, error);
    }
  }
}

async function acceptDue(made: Services, client: df.DurableClient, job: Job, now: Date): Promise<void> {
  const { key, spec, specAt, lastDue } = job;
  if (spec.schedule === undefined) return;
  const after = Math.max(Date.parse(specAt), lastDue === undefined ? 0 : Date.parse(lastDue));
  const due = latestDue(spec.schedule, new Date(after), now)?.toISOString();
  if (due === undefined) return;
  const event = CloudEvent.parse({
    specversion: '1.0',
    id: due,
    source: `schedules/${jobId(key)}`,
    type: eventTypes.scheduleDue,
    time: now.toISOString(),
    data: { key, due },
  });
  await acceptEvent(made, client, event);
  await made.stores.jobs.update(...placeOf.job(key), (current) => current && { ...current, lastDue: due });
}

app.timer('due-schedules', {
  schedule: '*/10 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: (_timer, context) => dueSchedules(services(), df.getClient(context), context),
});
