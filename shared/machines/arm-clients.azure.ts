import { ComputeManagementClient } from '@azure/arm-compute';
import { NetworkManagementClient } from '@azure/arm-network';
import type { TokenCredential } from '@azure/identity';
import type { Settings } from '../config/settings.ts';
import { answersPolicy, refusal } from './arm-answers.azure.ts';
import { type Started, start } from './arm-pollers.azure.ts';
import type { Progress } from './cloud.ts';

export type CloudSettings = Pick<
  Settings,
  'subscription' | 'resourceGroup' | 'location' | 'network' | 'appNetwork' | 'armEndpoint'
>;

/** The SDK's clients for the machines' resource group, and how their long calls are begun. */
export interface ArmClients {
  readonly compute: ComputeManagementClient;
  readonly network: NetworkManagementClient;
  readonly settings: CloudSettings;
  /** Resource group. */
  readonly group: string;
  /** Starts what takes long; what ARM refuses is an answer. Deleting what is absent is done. */
  begin(started: Started, call: Parameters<typeof start>[1]): Promise<Progress>;
}

/** The SDK retries nothing: activities are retried as a whole, and durably. */
export function armClients(settings: CloudSettings, credential: TokenCredential): ArmClients {
  const options = {
    endpoint: settings.armEndpoint,
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [{ policy: answersPolicy, position: 'perCall' as const }],
  };
  return {
    compute: new ComputeManagementClient(credential, settings.subscription, options),
    network: new NetworkManagementClient(credential, settings.subscription, options),
    settings,
    group: settings.resourceGroup,
    async begin(started, call) {
      try {
        return await start(started, call);
      } catch (error) {
        const { statusCode, ...refused } = refusal(error);
        if (statusCode === 404 && started.kind.startsWith('delete-')) return { status: 'done' };
        return refused;
      }
    },
  };
}
