import { app } from '@azure/functions';

/** The API alone, so that the host needs nothing but storage. */
app.setup({ enableHttpStream: true });

import '../../../../functions/http/api/main.ts';
