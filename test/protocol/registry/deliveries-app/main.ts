import { app } from '@azure/functions';
import * as df from 'durable-functions';
import '../../../../functions/activities/deliver-waiting.ts';
import '../../../../functions/http/api/subscriptions.ts';
import '../../../../functions/http/registry.ts';
import '../../../../functions/orchestrators/deliver-events.ts';
import { sweepRegistry } from '../../../../functions/registry.ts';
import { services } from '../../../../functions/services.ts';

app.setup({ enableHttpStream: true });

/** The app's sweep, more often: a test waits for it. */
app.timer('sweep', {
  schedule: '*/2 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: (_timer, context) =>
    sweepRegistry(services(), df.getClient(context), (error) => context.error('sweep:', error)),
});
