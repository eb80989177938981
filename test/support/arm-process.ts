import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startArm } from '../../infra/local/arm/start-arm.ts';
import { folderMachineRuntime } from './folder-machine-runtime.ts';

/** `node arm-process.ts <folder> <port>`: an ARM endpoint to be killed; certificate and key lie in the folder. Says `ready`. */
const [, , folder = '', port = ''] = process.argv;
await startArm({
  address: '127.0.0.1',
  port: Number(port),
  certificate: readFileSync(join(folder, 'tls', 'server.pem'), 'utf8'),
  key: readFileSync(join(folder, 'tls', 'server.key.pem'), 'utf8'),
  subscription: '11111111-2222-4333-8444-555555555555',
  tenant: '99999999-2222-4333-8444-555555555555',
  location: 'westeurope',
  resourceGroup: 'berth-machines',
  subnet: '10.77.0.0/16',
  gateway: '10.77.0.1',
  database: join(folder, 'arm.sqlite'),
  runtime: folderMachineRuntime(join(folder, 'machines')),
  verify: async () => {},
});
process.stdout.write('ready\n');
