import { app } from '@azure/functions';

/** The function app: importing a file registers its functions. */
app.setup({ enableHttpStream: true });

import './http/api/main.ts';
import './http/registry.ts';
import './timers/care-for-token-keys.ts';
import './timers/refresh-copies.ts';
import './machines.ts';
import './events.ts';
import './workloads.ts';
