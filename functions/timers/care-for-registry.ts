import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import type { CareKind } from '../../shared/model/care-run.ts';
import { Terminal } from '../../shared/model/errors.ts';
import { services } from '../services.ts';
import { startCare } from '../start-care.ts';

const nightly =
  (kind: CareKind) =>
  async (_timer: Timer, context: InvocationContext): Promise<void> => {
    const made = services();
    await made.careRuns.expire(made.now());
    try {
      await startCare(made, df.getClient(context), { kind, dryRun: false, by: 'timer' });
    } catch (error) {
      if (!(error instanceof Terminal)) throw error;
      context.warn(`${kind}: ${error.message}`);
    }
  };

/** Every night: what policies let go, and an hour later what nothing names any more. */
app.timer('apply-retention', {
  schedule: '0 45 1 * * *',
  extraInputs: [df.input.durableClient()],
  handler: nightly('retention'),
});
app.timer('collect-garbage', {
  schedule: '0 45 2 * * *',
  extraInputs: [df.input.durableClient()],
  handler: nightly('gc'),
});
