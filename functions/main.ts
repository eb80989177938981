import { app } from '@azure/functions';

/** The function app: importing a file registers its functions. */
app.setup({ enableHttpStream: true });

import './http/api/main.ts';
import './http/registry.ts';
import './timers/care-for-token-keys.ts';
import './imports.ts';
import './machines.ts';
import './registry-care.ts';
import './events.ts';
import './ingress.ts';
import './workloads.ts';
