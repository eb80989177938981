import { app } from '@azure/functions';

app.setup({ enableHttpStream: true });

import './http.ts';
import './orchestrations.ts';
import './triggers.ts';
