import { join } from 'node:path';
import { readDataCentre } from '../data-centre.ts';
import { dockerMachineRuntime } from '../machine-runtime/docker-machine-runtime.ts';
import { ensureEngine } from '../machine-runtime/engine.ts';
import { qemuMachineRuntime } from '../machine-runtime/qemu/qemu-machine-runtime.ts';
import { ensurePlatformCa } from '../platform-ca/authority.ts';
import { startCloud } from './start-cloud.ts';

/** `node infra/local/cloud/main.ts <data-centre.json> <cache folder>`. Prints `ready`; ends at SIGTERM, machines go on. */
const [, , file, cache] = process.argv;
if (file === undefined || cache === undefined) {
  console.error('usage: node infra/local/cloud/main.ts <data-centre.json> <cache folder>');
  process.exit(2);
}
const dataCentre = readDataCentre(file);
const { directory, gateway, ports } = dataCentre;
const report = (line: string): void => console.log(line);
const ca = await ensurePlatformCa(join(directory, 'ca'));

const engine = await ensureEngine({
  id: dataCentre.id,
  directory,
  dockerHost: `unix://${dataCentre.engineSocket}`,
  report,
});
const common = {
  id: dataCentre.id,
  directory,
  cache,
  subnet: dataCentre.subnet,
  gateway,
  metadataPort: ports.metadata,
  openPorts: [ports.app],
  authority: ca.certificatePem,
  report,
};
const runtime =
  dataCentre.machines === 'qemu'
    ? await qemuMachineRuntime(common)
    : await dockerMachineRuntime({ ...common, engine, network: dataCentre.network });

const cloud = await startCloud(dataCentre, { runtime });
const stop = async (): Promise<void> => {
  await cloud.close();
  process.exit(0);
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
process.stdout.write('ready\n');
