import { cancelRun, runInService, watchRun } from '../../../shared/api/routes/service-runs.ts';
import { WATCHED_MS } from '../../../shared/workloads/answer-service-run.ts';
import { cancel } from '../../../shared/workloads/cancel-run.ts';
import { placeOf } from '../../../shared/workloads/stores.ts';
import { endpoint } from '../endpoint.ts';
import { acceptCommand } from './accept-command.ts';
import { runAt } from './jobs.ts';
import { serviceAt } from './services.ts';

export const run = endpoint(
  runInService,
  async (call) => {
    const { environment, application, service } = call.params;
    await serviceAt(call.services.stores, call.params);
    const runs = `/api/v1/environments/${environment}/jobs/${application}/${service}/runs`;
    const accepted = await acceptCommand(
      call,
      { type: 'run-service', environment, application, service, ...call.body },
      (instance) => `${runs}/${instance}`,
    );
    return { ...accepted, run: accepted.location.slice(runs.length + 1) };
  },
  { durable: true },
);

export const watch = endpoint(watchRun, async ({ params, services: { stores, now } }) => {
  const found = await runAt(stores, params, params.run);
  const until = new Date(now().getTime() + WATCHED_MS).toISOString();
  const changed = await stores.runs.update(...placeOf.run(params, params.run), (current) =>
    // What was ended is not begun again by a word that comes late.
    current?.watchedUntil === undefined || current.watchedUntil < now().toISOString()
      ? undefined
      : { ...current, watchedUntil: until },
  );
  return changed ?? found;
});

export const end = endpoint(cancelRun, async ({ params, services }) => {
  const found = await runAt(services.stores, params, params.run);
  return await cancel(services, found);
});
