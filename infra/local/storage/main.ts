import { join } from 'node:path';
import { readDataCentre } from '../data-centre.ts';
import { ensurePlatformCa } from '../platform-ca/authority.ts';
import { issueServerCertificate } from '../platform-ca/server-certificate.ts';
import { startStorage } from './start-storage.ts';

/** The storage process: `node infra/local/storage/main.ts <data-centre.json>`. Prints `ready`; ends cleanly at SIGTERM. */
const [, , file] = process.argv;
if (file === undefined) {
  console.error('usage: node infra/local/storage/main.ts <data-centre.json>');
  process.exit(2);
}
const dataCentre = readDataCentre(file);
const directory = join(dataCentre.directory, 'storage');
const ca = await ensurePlatformCa(join(dataCentre.directory, 'ca'));
const names = [dataCentre.gateway, 'localhost', '127.0.0.1'];
const { certificateFile, keyFile } = await issueServerCertificate(ca, names, directory);

await startStorage({
  address: dataCentre.gateway,
  ports: dataCentre.ports,
  account: dataCentre.storageAccount,
  directory: join(directory, 'data'),
  certificateFile,
  keyFile,
});
process.stdout.write('ready\n');
