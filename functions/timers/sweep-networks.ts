import { app } from '@azure/functions';
import { services } from '../services.ts';

/** Names and peers that an end of the app or of a machine left untold. */
app.timer('sweep-networks', {
  schedule: '40 * * * * *',
  handler: () => services().networks.sweep(),
});
