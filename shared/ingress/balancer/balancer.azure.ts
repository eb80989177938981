import type { LoadBalancer, NetworkInterface } from '@azure/arm-network';
import { found } from '../../machines/arm-answers.azure.ts';
import { resourceId, SECURITY_GROUP } from '../../machines/arm-bodies.azure.ts';
import type { ArmClients } from '../../machines/arm-clients.azure.ts';
import type { OperationKind, Progress } from '../../machines/cloud.ts';
import { HEALTH_PORT, HTTP_PORT, HTTPS_PORT } from '../proxy-config.ts';
import { BALANCER, BALANCER_IP, BALANCER_RULE, type Balancer, type BalancerProgress } from './balancer.ts';

/** Milliseconds until what ARM was asked for is looked at again. */
const LOOK_MS = 1_000;
const FRONTEND = 'public';
const POOL = 'ingress';
const PROBE = 'answers';
const PORTS = { http: HTTP_PORT, https: HTTPS_PORT } as const;

/**
 * A Standard load balancer. Members of it have no other way out than its own address, which its rules therefore lend them.
 * https://learn.microsoft.com/azure/load-balancer/load-balancer-outbound-connections
 */
export function azureBalancer({ network, settings, group, begin }: ArmClients): Balancer {
  const { location } = settings;
  const id = resourceId(settings, 'Microsoft.Network/loadBalancers', BALANCER);
  const part = (kind: string, name: string) => ({ id: `${id}/${kind}/${name}` });
  const pool = part('backendAddressPools', POOL);

  const body = (): LoadBalancer => ({
    location,
    sku: { name: 'Standard' },
    frontendIPConfigurations: [
      {
        name: FRONTEND,
        publicIPAddress: { id: resourceId(settings, 'Microsoft.Network/publicIPAddresses', BALANCER_IP) },
      },
    ],
    backendAddressPools: [{ name: POOL }],
    // Closed before the proxy is: who leaves gets no more connections.
    probes: [{ name: PROBE, protocol: 'Tcp', port: HEALTH_PORT, intervalInSeconds: 5, probeThreshold: 1 }],
    loadBalancingRules: Object.entries(PORTS).map(([name, port]) => ({
      name,
      protocol: 'Tcp',
      frontendPort: port,
      backendPort: port,
      frontendIPConfiguration: part('frontendIPConfigurations', FRONTEND),
      backendAddressPool: pool,
      probe: part('probes', PROBE),
      enableTcpReset: true,
      idleTimeoutInMinutes: 30,
    })),
  });

  const joins = (nic: NetworkInterface): boolean =>
    nic.ipConfigurations?.[0]?.loadBalancerBackendAddressPools?.some(
      (one) => one.id?.toLowerCase() === pool.id.toLowerCase(),
    ) === true;

  /** Puts a NIC as it is, but for its membership. */
  const member = async (name: string, isMember: boolean): Promise<BalancerProgress> => {
    const nic = await found(network.networkInterfaces.get(group, name));
    if (nic === undefined || joins(nic) === isMember) return { state: 'done' };
    if (isBusy(nic)) return { state: 'going', afterMs: LOOK_MS };
    const ipConfigurations = (nic.ipConfigurations ?? []).map((configuration, index) => {
      if (index > 0) return configuration;
      const { loadBalancerBackendAddressPools: _, ...rest } = configuration;
      return isMember ? { ...rest, loadBalancerBackendAddressPools: [pool] } : rest;
    });
    return begun(
      await begin({ kind: 'nic', name }, () =>
        network.networkInterfaces.createOrUpdate(group, name, { ...nic, ipConfigurations }),
      ),
    );
  };

  const rule = async (isOpen: boolean): Promise<BalancerProgress> => {
    const rules = await found(network.networkSecurityGroups.get(group, SECURITY_GROUP));
    if (rules === undefined) return { state: 'done' };
    const there = rules.securityRules?.some(({ name }) => name === BALANCER_RULE) === true;
    if (there === isOpen) return { state: 'done' };
    const operation = { kind: 'security-group', name: SECURITY_GROUP } as const;
    if (!isOpen)
      return begun(
        await begin(operation, () => network.securityRules.delete(group, SECURITY_GROUP, BALANCER_RULE)),
      );
    const open = {
      priority: 1100,
      access: 'Allow',
      protocol: 'Tcp',
      direction: 'Inbound',
      // Internet, and the load balancer's own probes, which Azure sends from an address of its own.
      sourceAddressPrefix: '*',
      sourcePortRange: '*',
      destinationAddressPrefix: '*',
      destinationPortRanges: [...Object.values(PORTS), HEALTH_PORT].map(String),
    };
    return begun(
      await begin(operation, () =>
        network.securityRules.createOrUpdate(group, SECURITY_GROUP, BALANCER_RULE, open),
      ),
    );
  };

  const members = async (): Promise<readonly string[]> => {
    const balancer = await found(network.loadBalancers.get(group, BALANCER));
    const configurations = balancer?.backendAddressPools?.[0]?.backendIPConfigurations ?? [];
    return configurations.flatMap(({ id: of }) => /networkInterfaces\/([^/]+)\//i.exec(of ?? '')?.[1] ?? []);
  };

  const gone = (kind: OperationKind, name: string, remove: Parameters<ArmClients['begin']>[1]) =>
    begin({ kind, name }, remove).then(begun);

  return {
    async ensure(nics) {
      const address = await found(network.publicIPAddresses.get(group, BALANCER_IP));
      if (address === undefined || address.provisioningState === 'Failed')
        return begun(
          await begin({ kind: 'public-ip', name: BALANCER_IP }, () =>
            network.publicIPAddresses.createOrUpdate(group, BALANCER_IP, {
              location,
              sku: { name: 'Standard' },
              publicIPAllocationMethod: 'Static',
              publicIPAddressVersion: 'IPv4',
            }),
          ),
        );
      if (isBusy(address)) return { state: 'going', afterMs: LOOK_MS };
      const balancer = await found(network.loadBalancers.get(group, BALANCER));
      if (balancer === undefined || balancer.provisioningState === 'Failed')
        return begun(
          await begin({ kind: 'public-ip', name: BALANCER }, () =>
            network.loadBalancers.createOrUpdate(group, BALANCER, body()),
          ),
        );
      if (isBusy(balancer)) return { state: 'going', afterMs: LOOK_MS };
      const open = await rule(true);
      if (open.state !== 'done') return open;
      const others = (await members()).filter((name) => !nics.includes(name));
      const steps = [...nics.map((name) => member(name, true)), ...others.map((name) => member(name, false))];
      const unfinished = (await Promise.all(steps)).find(({ state }) => state !== 'done');
      if (unfinished !== undefined) return unfinished;
      const { ipAddress } = (await found(network.publicIPAddresses.get(group, BALANCER_IP))) ?? {};
      return { state: 'done', ...(ipAddress !== undefined && { address: ipAddress }) };
    },
    async remove() {
      const left = await Promise.all((await members()).map((name) => member(name, false)));
      const unfinished = left.find(({ state }) => state !== 'done');
      if (unfinished !== undefined) return unfinished;
      const closed = await rule(false);
      if (closed.state !== 'done') return closed;
      if ((await found(network.loadBalancers.get(group, BALANCER))) !== undefined)
        return gone('delete-public-ip', BALANCER, () => network.loadBalancers.delete(group, BALANCER));
      if ((await found(network.publicIPAddresses.get(group, BALANCER_IP))) !== undefined)
        return gone('delete-public-ip', BALANCER_IP, () =>
          network.publicIPAddresses.delete(group, BALANCER_IP),
        );
      return { state: 'done' };
    },
  };
}

const isBusy = ({ provisioningState }: { readonly provisioningState?: string | undefined }): boolean =>
  provisioningState === 'Updating' || provisioningState === 'Deleting';

/** What was begun is looked at again; its own operation need not be followed. */
const begun = (progress: Progress): BalancerProgress =>
  progress.status === 'refused'
    ? { state: 'refused', code: progress.code, message: progress.message }
    : { state: 'going', afterMs: progress.status === 'done' ? 0 : LOOK_MS };
