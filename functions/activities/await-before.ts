import * as df from 'durable-functions';
import { awaitBefore as effect } from '../../shared/workloads/await-before.ts';
import { awaitBefore } from '../../shared/workloads/replica-activities.ts';
import { runJob } from '../../shared/workloads/run-job.ts';
import { isGoing } from '../instances.ts';
import { activity } from './activity.ts';

activity(
  awaitBefore,
  (input, { workloads, images, trust }, context) =>
    effect(
      {
        ...workloads,
        images,
        trust,
        async begin(run) {
          const client = df.getClient(context);
          if (await isGoing(client, run.id)) return;
          try {
            await client.startNew(runJob.name, { instanceId: run.id, input: { run } });
          } catch (error) {
            // Somebody was faster.
            if (!(await isGoing(client, run.id))) throw error;
          }
        },
      },
      input,
    ),
  { durable: true },
);
