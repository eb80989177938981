import { z } from 'zod';
import type { Rates } from '../auth/rate-limit/limits.ts';
import { RateSetting } from '../auth/rate-limit/rate-setting.ts';
import { LONGEST_PREFIX } from '../networks/address-plan.ts';
import { networkOf, overlaps } from '../networks/ipv4.ts';
import { Secret } from '../secrets/secret.ts';

const httpsUri = z.url({ protocol: /^https$/, error: 'expected an https address' });

/** Every setting of the app, by its name in the environment, with an example for the message when it is missing. */
const Environment = z.object({
  AzureWebJobsStorage__blobServiceUri: httpsUri.describe('https://account.blob.core.windows.net'),
  AzureWebJobsStorage__queueServiceUri: httpsUri.describe('https://account.queue.core.windows.net'),
  AzureWebJobsStorage__tableServiceUri: httpsUri.describe('https://account.table.core.windows.net'),
  /** Of the user-assigned identity; the system-assigned one if absent. */
  AzureWebJobsStorage__clientId: z.uuid().optional().describe('00000000-0000-0000-0000-000000000000'),
  ServiceBus__fullyQualifiedNamespace: z.string().min(1).describe('name.servicebus.windows.net'),
  /** Where the namespace is reached, if not at its own name (a private link, a proxy). */
  ServiceBus__customEndpointAddress: z.string().optional().describe('https://address:port'),
  /** Where this app is reached; image references and machines hold it. */
  WEBSITE_HOSTNAME: z.string().min(1).describe('app.azurewebsites.net'),
  AZURE_SUBSCRIPTION_ID: z.uuid().describe('00000000-0000-0000-0000-000000000000'),
  AZURE_TENANT_ID: z.uuid().describe('00000000-0000-0000-0000-000000000000'),
  AZURE_RESOURCE_MANAGER_ENDPOINT: httpsUri
    .default('https://management.azure.com')
    .describe('https://management.azure.com'),
  /** OpenID Connect authority whose tokens machines and users present; /.well-known/openid-configuration is under it. */
  BERTH_TOKEN_AUTHORITY: httpsUri.describe('https://login.microsoftonline.com/<tenant>'),
  /**
   * What access tokens of the tenant name as their audience when they are for this app, divided by commas: the application id
   * URI of its registration, and its application id for tokens of version 2.0. Without it no such token is taken.
   */
  BERTH_TOKEN_AUDIENCE: z.string().min(1).optional().describe('api://<application id>,<application id>'),
  /** How often one instance answers each principal, each address without a credential, and each address's wrong credentials. */
  BERTH_RATE_PRINCIPAL: RateSetting.prefault('500/5000').describe('500/5000, or off'),
  BERTH_RATE_ADDRESS: RateSetting.prefault('100/1000').describe('100/1000, or off'),
  BERTH_RATE_FAILED_LOGINS: RateSetting.prefault('0.5/100').describe('0.5/100, or off'),
  BERTH_RESOURCE_GROUP: z.string().min(1).describe('berth-machines'),
  BERTH_LOCATION: z.string().min(1).describe('westeurope'),
  /** Address space of the machines' network and its subnet, CIDR. */
  BERTH_NETWORK: z.cidrv4().default('10.20.0.0/16').describe('10.20.0.0/16'),
  /** Addresses of containers on all machines, CIDR: touches neither the machines' network nor what containers call. */
  BERTH_CONTAINER_NETWORK: z
    .cidrv4()
    .refine((cidr) => networkOf(cidr).bits <= LONGEST_PREFIX, `expected at most /${LONGEST_PREFIX}`)
    .default('100.64.0.0/10')
    .describe('100.64.0.0/10'),
  /** Who may reach the engines' port 2376: the app's own subnet or address, CIDR. */
  BERTH_APP_NETWORK: z.cidrv4().describe('10.20.255.0/24'),
  /** Authority for certificates of routes with `tls: acme`, RFC 8555; whoever deploys one agrees to its terms. */
  BERTH_ACME_DIRECTORY: httpsUri
    .default('https://acme-v02.api.letsencrypt.org/directory')
    .describe('https://acme-staging-v02.api.letsencrypt.org/directory'),
  /** Told to the authority. */
  BERTH_ACME_CONTACT: z
    .string()
    .regex(/^mailto:\S+@\S+$/, 'expected mailto: and an address')
    .optional()
    .describe('mailto:somebody@example.com'),
  BERTH_MASTER_KEY: z.base64().length(44).describe('32 bytes in base64'),
  BERTH_MASTER_KEY_PREVIOUS: z.base64().length(44).optional().describe('32 bytes in base64'),
  /** Of the API key that the deployment made for its administrator (`berth_admin_…`); the key itself is never a setting. */
  BERTH_ADMIN_KEY_SHA256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits')
    .describe('the output of: printf %s "$KEY" | sha256sum'),
});

export interface Settings {
  readonly blobUri: string;
  readonly queueUri: string;
  readonly tableUri: string;
  readonly clientId: string | undefined;
  readonly serviceBus: { readonly namespace: string; readonly endpoint: string | undefined };
  /** host or host:port; also the registry's host in image references. */
  readonly hostname: string;
  readonly subscription: string;
  readonly tenant: string;
  readonly armEndpoint: string;
  readonly tokenAuthority: string;
  readonly tokenAudiences: readonly string[];
  readonly rates: Rates;
  readonly resourceGroup: string;
  readonly location: string;
  readonly network: string;
  readonly containerNetwork: string;
  readonly appNetwork: string;
  readonly acme: { readonly directory: string; readonly contact: string | undefined };
  /** sha-256 of the administrator's API key, 64 hex digits. */
  readonly adminKeyHash: string;
  readonly masterKeys: { readonly current: Secret<string>; readonly previous: Secret<string> | undefined };
}

/**
 * The app's settings from its environment.
 * @throws Error that names every setting which is missing or malformed, what was expected, and an example
 */
export function readSettings(environment: Record<string, string | undefined>): Settings {
  const parsed = Environment.safeParse(environment);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const name = String(issue.path[0]) as keyof typeof Environment.shape;
      return `  ${name}: ${environment[name] === undefined ? 'missing' : issue.message}, for example ${Environment.shape[name]?.description}`;
    });
    throw new Error(`Settings are missing or malformed:\n${lines.join('\n')}`);
  }
  const env = parsed.data;
  if (overlaps(env.BERTH_CONTAINER_NETWORK, env.BERTH_NETWORK))
    throw new Error(
      `Settings are missing or malformed:\n  BERTH_CONTAINER_NETWORK: expected a network beside BERTH_NETWORK (${env.BERTH_NETWORK}), found ${env.BERTH_CONTAINER_NETWORK}, for example 10.128.0.0/9`,
    );
  return {
    blobUri: env.AzureWebJobsStorage__blobServiceUri,
    queueUri: env.AzureWebJobsStorage__queueServiceUri,
    tableUri: env.AzureWebJobsStorage__tableServiceUri,
    clientId: env.AzureWebJobsStorage__clientId,
    serviceBus: {
      namespace: env.ServiceBus__fullyQualifiedNamespace,
      endpoint: env.ServiceBus__customEndpointAddress,
    },
    hostname: env.WEBSITE_HOSTNAME,
    subscription: env.AZURE_SUBSCRIPTION_ID,
    tenant: env.AZURE_TENANT_ID,
    armEndpoint: env.AZURE_RESOURCE_MANAGER_ENDPOINT,
    tokenAuthority: env.BERTH_TOKEN_AUTHORITY,
    tokenAudiences: (env.BERTH_TOKEN_AUDIENCE ?? '')
      .split(',')
      .map((text) => text.trim())
      .filter((text) => text !== ''),
    rates: {
      principal: env.BERTH_RATE_PRINCIPAL,
      address: env.BERTH_RATE_ADDRESS,
      failedLogins: env.BERTH_RATE_FAILED_LOGINS,
    },
    resourceGroup: env.BERTH_RESOURCE_GROUP,
    location: env.BERTH_LOCATION,
    network: env.BERTH_NETWORK,
    containerNetwork: env.BERTH_CONTAINER_NETWORK,
    appNetwork: env.BERTH_APP_NETWORK,
    acme: { directory: env.BERTH_ACME_DIRECTORY, contact: env.BERTH_ACME_CONTACT },
    adminKeyHash: env.BERTH_ADMIN_KEY_SHA256,
    masterKeys: {
      current: new Secret(env.BERTH_MASTER_KEY),
      previous:
        env.BERTH_MASTER_KEY_PREVIOUS === undefined ? undefined : new Secret(env.BERTH_MASTER_KEY_PREVIOUS),
    },
  };
}
