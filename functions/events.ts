/**
 * How events come in, apart from the API and the registry: hooks, both command queues, and the sweep behind them; and how the
 * registry's go out to subscriptions.
 */
import './activities/deliver-waiting.ts';
import './activities/refresh-copy.ts';
import './http/hooks.ts';
import './orchestrators/deliver-events.ts';
import './orchestrators/refresh-pushed.ts';
import './queues/service-bus-commands.ts';
import './queues/storage-commands.ts';
import './timers/sweep-events.ts';
