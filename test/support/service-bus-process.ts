import { readFileSync } from 'node:fs';
import { ensureSigningKey } from '../../infra/local/identity/signing-key.ts';
import { tokenVerifier } from '../../infra/local/identity/verifier.ts';
import { startServiceBus } from '../../infra/local/service-bus/start-service-bus.ts';

/** A Service Bus that a test can kill: sends its port, and ends with its parent. */
const [, , port, database, certificateFile, keyFile, keysDirectory, issuer] = process.argv as (
  | string
  | undefined
)[];
if (!database || !certificateFile || !keyFile || !keysDirectory || !issuer)
  throw new Error('usage: service-bus-process.ts <port> <database> <certificate> <key> <keys> <issuer>');
const bus = await startServiceBus({
  address: '127.0.0.1',
  port: Number(port),
  certificate: readFileSync(certificateFile, 'utf8'),
  key: readFileSync(keyFile, 'utf8'),
  database,
  queues: [{ name: 'commands', maxDeliveryCount: 10, lockSeconds: 60, duplicateWindowSeconds: 600 }],
  topics: [
    {
      name: 'events',
      duplicateWindowSeconds: 600,
      subscriptions: [
        { name: 'all', maxDeliveryCount: 10, lockSeconds: 60 },
        { name: 'ordered', maxDeliveryCount: 10, lockSeconds: 60, requiresSession: true },
      ],
    },
  ],
  verify: tokenVerifier(await ensureSigningKey(keysDirectory), issuer),
});
process.on('disconnect', () => process.exit());
process.send?.(bus.port);
