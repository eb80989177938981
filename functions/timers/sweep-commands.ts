import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { expireRuns } from '../../shared/machines/run/end-run.ts';
import { runCommand, runInstance } from '../../shared/machines/run/run-activities.ts';
import { askedAt } from '../../shared/machines/run/run-store.ts';
import { isGoing } from '../instances.ts';
import { type Services, services } from '../services.ts';

/** Milliseconds in which the request itself starts what follows a run. */
const YOUNG = 60_000;

/** Runs that nobody follows any more are followed again: to their end, and until ARM has nothing of them. */
export async function sweepCommands(
  made: Pick<Services, 'machineRuns' | 'runCommands' | 'runLogs' | 'now'>,
  client: df.DurableClient,
  context: InvocationContext,
): Promise<void> {
  const now = made.now();
  for (const run of await made.machineRuns.open()) {
    const instanceId = runInstance(run);
    if (now.getTime() - askedAt(run).getTime() < YOUNG || (await isGoing(client, instanceId))) continue;
    if ((await made.machineRuns.get(run)) === undefined) {
      await made.machineRuns.remove(run);
      continue;
    }
    context.log(`sweep: nobody follows run ${run}`);
    await client.startNew(runCommand.name, { instanceId, input: { run } });
  }
  await expireRuns(made);
}

app.timer('sweep-commands', {
  schedule: '40 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: (_timer, context) => sweepCommands(services(), df.getClient(context), context),
});
