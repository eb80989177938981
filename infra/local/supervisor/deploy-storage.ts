import { QueueClient } from '@azure/storage-queue';
import type { DataCentre } from '../data-centre.ts';
import { appCredential } from '../identity/app-credential.ts';

/** Makes what the deployment template makes on Azure and the app takes for granted: the storage queue of commands. */
export async function deployStorage(dataCentre: DataCentre): Promise<void> {
  const { gateway, ports, storageAccount } = dataCentre;
  const uri = `https://${gateway}:${ports.queue}/${storageAccount}/commands`;
  await new QueueClient(uri, appCredential(dataCentre)).createIfNotExists();
}
