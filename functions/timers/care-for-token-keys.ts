import { app } from '@azure/functions';
import { services } from '../services.ts';

/** Every night: a key that signs the registry's tokens for 30 days is followed by another, and what no token needs goes. */
app.timer('care-for-token-keys', {
  schedule: '0 15 3 * * *',
  handler: () => services().tokenKeys.care(),
});
