import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import { expireAudit } from '../../shared/registry/audit/expire-audit.ts';
import { answerEvent } from '../accept-event.ts';
import { sweepRegistry } from '../registry.ts';
import { services } from '../services.ts';

/** An event that was stored this long ago and not answered was left by a crash; milliseconds. */
const LEFT_AFTER_MS = 10_000;
/** Events are kept for 30 days. */
const KEPT_MS = 30 * 24 * 3600 * 1000;

/** Every 30 seconds: accepts pushes, delivers and answers events that a crash left between one step and the next. */
app.timer('sweep-events', {
  schedule: '*/30 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: async (_timer: Timer, context: InvocationContext) => {
    const made = services();
    const client = df.getClient(context);
    await sweepRegistry(made, client, (error) => context.error('sweep:', error));
    for await (const { hash, event } of made.events.pending(new Date(made.now().getTime() - LEFT_AFTER_MS))) {
      try {
        await answerEvent(made, client, event, hash);
      } catch (error) {
        context.error(`event ${event.source} ${event.id} is not answered yet:`, error);
      }
    }
  },
});

/** Every night: forgets events that are older than 30 days, and what was done in repositories longer ago than is kept. */
app.timer('expire-events', {
  schedule: '0 30 3 * * *',
  handler: async () => {
    const made = services();
    await made.events.expire(new Date(made.now().getTime() - KEPT_MS));
    await expireAudit(made.tables, made.now());
  },
});
