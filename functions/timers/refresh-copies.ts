import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { Service } from '../../shared/model/service.ts';
import { inParallel } from '../../shared/registry/in-parallel.ts';
import { mirroredTags, staleTags } from '../../shared/registry/sources/stale-tags.ts';
import { registryOf } from '../http/registry-handler.ts';
import { type Services, services } from '../services.ts';

/** Tags that are asked for at once. */
const WIDTH = 4;

/** Asks upstream for the tags that services use, as often as their source says: one that moved rolls them out. */
export async function refreshStale(made: Services, context: InvocationContext): Promise<void> {
  const sources = await made.sources.list();
  if (sources.length === 0) return;
  const used: Service[] = [];
  for await (const { value } of made.stores.services.list({})) used.push(value);
  const stale = await staleTags(mirroredTags(used, sources), sources, made.checks, made.now());
  const deps = registryOf(made, context);
  await inParallel(stale, WIDTH, async ({ repository, tag }) => {
    try {
      const found = await made.mirror.refresh(deps, repository, tag);
      if (found?.outcome === 'moved') context.log(`${repository}:${tag} is ${found.digest} by now`);
    } catch (error) {
      context.warn(`${repository}:${tag} cannot be asked for:`, error);
    }
  });
}

app.timer('refresh-copies', {
  schedule: '40 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: (_timer, context) => refreshStale(services(), context),
});
