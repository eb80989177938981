import { app } from '@azure/functions';
import { expireLogs } from '../../shared/logs/retention.ts';
import { expireSessions } from '../../shared/sessions/relay.ts';
import { services } from '../services.ts';

/** Every night: removes logs that are older than their environment keeps them, and what instances left of sessions. */
app.timer('expire-logs', {
  schedule: '0 45 3 * * *',
  handler: async (_timer, context) => {
    const { logs, logRetentions, tables, now } = services();
    await expireSessions(tables, now().getTime());
    const removed = await expireLogs(logs.blobs, logRetentions, now());
    if (removed > 0) context.log(`logs: removed ${removed} parts that were kept long enough`);
  },
});
