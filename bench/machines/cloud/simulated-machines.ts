import { join } from 'node:path';
import { type DataCentre, issuerOf, type Running } from '../../../infra/local/data-centre.ts';
import { ensureSigningKey } from '../../../infra/local/identity/signing-key.ts';
import { tokenIssuer } from '../../../infra/local/identity/tokens.ts';
import { memoryMachineRuntime } from '../../../infra/local/machine-runtime/machine-runtime.memory.ts';
import type { MachineRuntime } from '../../../infra/local/machine-runtime/machine-runtime.ts';
import { startAgent } from './simulated-agent.ts';

/** Machines without a computer: each is what its agent says to the app, with a token of its own. */
export async function simulatedMachines(
  dataCentre: DataCentre,
  report: (line: string) => void,
): Promise<MachineRuntime & Running> {
  const { directory, subscription, resourceGroup, tenant } = dataCentre;
  const key = await ensureSigningKey(join(directory, 'cloud', 'keys'));
  const issue = tokenIssuer(key, issuerOf(dataCentre), tenant);
  const tokenOf = async (name: string): Promise<string> => {
    const id = `/subscriptions/${subscription}/resourcegroups/${resourceGroup}/providers/Microsoft.Compute/virtualMachines/${name}`;
    const who = { principalId: name, clientId: name, identityId: id, resourceId: id };
    return (await issue(who, 'https://management.azure.com/')).token;
  };
  const runtime = memoryMachineRuntime();
  const agents = new Map<string, Running>();
  const end = async (name: string): Promise<void> => {
    await agents.get(name)?.close();
    agents.delete(name);
  };
  return {
    ...runtime,
    async create(request) {
      await runtime.create(request);
      if (!agents.has(request.name))
        agents.set(
          request.name,
          startAgent(request, () => tokenOf(request.name), report),
        );
    },
    async remove(name) {
      await end(name);
      await runtime.remove(name);
    },
    async close() {
      for (const name of [...agents.keys()]) await end(name);
    },
  };
}
