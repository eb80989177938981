import { authorityOf, type DataCentre } from '../data-centre.ts';
import type { Keys } from './keys.ts';

/** The app's settings: the names that it has on Azure too, and where the local data centre answers. */
export function appEnvironment(dataCentre: DataCentre, keys: Keys): Record<string, string> {
  const { gateway, ports, storageAccount } = dataCentre;
  const storage = (port: number): string => `https://${gateway}:${port}/${storageAccount}`;
  return {
    AzureWebJobsStorage__credential: 'managedidentity',
    AzureWebJobsStorage__clientId: dataCentre.identity.clientId,
    AzureWebJobsStorage__blobServiceUri: storage(ports.blob),
    AzureWebJobsStorage__queueServiceUri: storage(ports.queue),
    AzureWebJobsStorage__tableServiceUri: storage(ports.table),
    ServiceBus__credential: 'managedidentity',
    ServiceBus__clientId: dataCentre.identity.clientId,
    ServiceBus__fullyQualifiedNamespace: 'localhost',
    ServiceBus__customEndpointAddress: `https://localhost:${ports.serviceBus}`,
    WEBSITE_HOSTNAME: `${gateway}:${ports.app}`,
    AZURE_SUBSCRIPTION_ID: dataCentre.subscription,
    AZURE_TENANT_ID: dataCentre.tenant,
    AZURE_RESOURCE_MANAGER_ENDPOINT: `https://${gateway}:${ports.arm}`,
    BERTH_TOKEN_AUTHORITY: authorityOf(dataCentre),
    BERTH_TOKEN_AUDIENCE: 'api://berth',
    BERTH_RESOURCE_GROUP: dataCentre.resourceGroup,
    BERTH_LOCATION: dataCentre.location,
    BERTH_NETWORK: dataCentre.subnet,
    BERTH_APP_NETWORK: `${gateway}/32`,
    BERTH_TASK_HUB: 'Berth',
    BERTH_MASTER_KEY: keys.master,
    BERTH_ADMIN_KEY_SHA256: keys.adminHash,
    IDENTITY_ENDPOINT: `http://127.0.0.1:${ports.identity}/msi/token`,
    IDENTITY_HEADER: dataCentre.identity.header,
  };
}
