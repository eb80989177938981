import { z } from 'zod';
import { Terminal } from '../../../shared/model/errors.ts';
import type { HostEngine } from './engine.ts';
import { addressIn, freeSubnet } from './free-subnet.ts';
import { takenNetworks } from './host-routes.ts';
import { admitBridge, machineBridge } from './host-settings.ts';

const Network = z.object({
  Name: z.string(),
  Labels: z.record(z.string(), z.string()).nullish(),
  IPAM: z.object({
    Config: z
      .array(z.object({ Subnet: z.string().optional(), Gateway: z.string().optional() }))
      .nullish()
      .transform((config) => config ?? []),
  }),
});

export interface MachineNetworkRequest {
  /** The data centre's id. */
  readonly id: string;
  /** Name of the Docker network. */
  readonly name: string;
  /** CIDRs that it must not touch, beside those that this computer has routes to. */
  readonly avoid: readonly string[];
  /** The subnet that it had before, if it is to be the same again. */
  readonly subnet?: string;
}

/**
 * Makes, or finds, the machines' network: a bridge whose gateway address belongs to this computer.
 * @throws Terminal `network-taken` when the wanted subnet is meanwhile used by something else
 */
export async function ensureMachineNetwork(
  engine: HostEngine,
  request: MachineNetworkRequest,
): Promise<{ readonly subnet: string; readonly gateway: string }> {
  const networks = await engine.api.json(z.array(Network), 'GET', '/networks');
  const found = networks.find(({ Name }) => Name === request.name);
  const config = found?.IPAM.Config[0];
  const taken = [
    ...request.avoid,
    ...takenNetworks(),
    ...networks.flatMap(({ IPAM }) => IPAM.Config.flatMap(({ Subnet }) => Subnet ?? [])),
  ].filter((network) => network.includes('.'));
  const subnet = config?.Subnet ?? request.subnet ?? freeSubnet(20, taken);
  const gateway = config?.Gateway ?? addressIn(subnet, 1);
  const bridge = machineBridge(request.id);
  if (found === undefined) {
    try {
      await engine.api.send('POST', '/networks/create', {
        Name: request.name,
        CheckDuplicate: true,
        Driver: 'bridge',
        IPAM: { Config: [{ Subnet: subnet, Gateway: gateway }] },
        Options: { 'com.docker.network.bridge.name': bridge },
        Labels: { 'berth.datacentre': request.id },
      });
    } catch (cause) {
      if (request.subnet === undefined) throw cause;
      throw new Terminal({
        code: 'network-taken',
        message: `The machines’ network ${subnet} cannot be made again: ${cause instanceof Error ? cause.message : cause}`,
        remedy: 'Remove what uses these addresses, or begin anew with npm start -- --reset.',
        cause,
      });
    }
  }
  if (engine.own) await admitBridge(request.id, bridge, subnet);
  return { subnet, gateway };
}

/** Removes the machines' network; machines must be gone. Removing what is not there is no error. */
export const removeMachineNetwork = (engine: HostEngine, name: string): Promise<void> =>
  engine.api.send('DELETE', `/networks/${name}`, undefined, [404]);
