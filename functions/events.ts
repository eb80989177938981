/** How events come in, apart from the API and the registry: hooks, both command queues, and the sweep behind them. */
import './http/hooks.ts';
import './queues/service-bus-commands.ts';
import './queues/storage-commands.ts';
import './timers/sweep-events.ts';
