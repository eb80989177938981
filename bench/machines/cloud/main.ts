import { startCloud } from '../../../infra/local/cloud/start-cloud.ts';
import { readDataCentre } from '../../../infra/local/data-centre.ts';
import { simulatedMachines } from './simulated-machines.ts';

/**
 * The local cloud, whose machines are only their agents: `node bench/machines/cloud/main.ts <data-centre.json>`. ARM,
 * identity and Service Bus are the real ones.
 */
const [, , file] = process.argv;
if (file === undefined) {
  console.error('usage: node bench/machines/cloud/main.ts <data-centre.json>');
  process.exit(2);
}
const dataCentre = readDataCentre(file);
const runtime = await simulatedMachines(dataCentre, (line) => console.log(line));
const many = 100_000;
const cloud = await startCloud(dataCentre, { runtime, quota: { regionalCores: many, familyCores: many } });
const stop = async (): Promise<void> => {
  await cloud.close();
  process.exit(0);
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
process.stdout.write('ready\n');
