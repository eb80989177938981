import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Arm } from '../arm.ts';
import { ArmError, invalidReference } from '../requests/arm-error.ts';
import { parseBody, Reference } from '../requests/bodies.ts';
import { type Json, type Resource, render, sameId } from '../resources/resource.ts';
import type { Tracked } from '../resources/tracked.ts';
import { holderOfAddress, ipConfigurationsOf } from './references.ts';
import { etag } from './virtual-networks.ts';

const named = <T extends z.ZodRawShape>(properties: T) =>
  z.looseObject({ name: z.string().min(1), properties: z.looseObject(properties).default({} as never) });
const Port = z.number().int().min(1).max(65_534);

const Frontend = named({ publicIPAddress: Reference.optional(), subnet: Reference.optional() });
const Pool = named({});
const Probe = named({
  protocol: z.enum(['Tcp', 'Http', 'Https']),
  port: Port,
  intervalInSeconds: z.number().int().min(5).default(15),
  requestPath: z.string().optional(),
});
const Rule = named({
  protocol: z.enum(['Tcp', 'Udp', 'All']),
  frontendPort: z.number().int().min(0).max(65_534),
  backendPort: z.number().int().min(0).max(65_535).optional(),
  frontendIPConfiguration: Reference,
  backendAddressPool: Reference.optional(),
  probe: Reference.optional(),
});

const Body = z.looseObject({
  sku: z.looseObject({ name: z.string().default('Basic'), tier: z.string().default('Regional') }).optional(),
  properties: z.looseObject({
    frontendIPConfigurations: z.array(Frontend).default([]),
    backendAddressPools: z.array(Pool).default([]),
    probes: z.array(Probe).default([]),
    loadBalancingRules: z.array(Rule).default([]),
  }),
});

/** A part of a load balancer as GET shows it. */
export interface Part extends Json {
  readonly id: string;
  readonly name: string;
  readonly properties: Json;
}

/**
 * Load balancers with public addresses, whose rules really lead to the members that answer the probe.
 * https://learn.microsoft.com/azure/load-balancer/components
 */
export const loadBalancers = (arm: Arm, settle: (going?: Resource) => Promise<void>): Tracked => ({
  kind: 'loadBalancer',
  accept({ id, body, before }) {
    const { sku, properties } = parseBody(Body, body);
    const parts = (kind: string, found: readonly { name: string; properties: Json }[]): Part[] => {
      const names = new Set<string>();
      return found.map(({ name, properties: given }) => {
        if (names.has(name.toLowerCase())) throw duplicate(id, kind, name);
        names.add(name.toLowerCase());
        return {
          id: `${id}/${kind}/${name}`,
          name,
          properties: { ...given, provisioningState: 'Succeeded' },
        };
      });
    };
    const accepted = {
      frontendIPConfigurations: parts('frontendIPConfigurations', properties.frontendIPConfigurations),
      backendAddressPools: parts('backendAddressPools', properties.backendAddressPools),
      probes: parts('probes', properties.probes),
      loadBalancingRules: parts('loadBalancingRules', properties.loadBalancingRules),
    };
    for (const { properties: frontend } of accepted.frontendIPConfigurations)
      requireFreeAddress(arm, id, frontend);
    requireRules(id, accepted);
    requireMembers(arm, before, accepted.backendAddressPools);
    return {
      extra: { etag: etag(), sku: { name: sku?.name ?? 'Basic', tier: sku?.tier ?? 'Regional' } },
      hidden: {},
      properties: {
        ...accepted,
        inboundNatRules: [],
        outboundRules: [],
        inboundNatPools: [],
        resourceGuid: before?.properties.resourceGuid ?? randomUUID(),
      },
    };
  },
  settle: () => settle(),
  removable(balancer) {
    const [member] = poolsOf(balancer).flatMap((pool) => membersOf(arm, pool.id));
    if (member !== undefined)
      throw new ArmError(
        400,
        'LoadBalancerInUseByVirtualMachine',
        `Cannot delete load balancer ${balancer.id} since its child resources ${member.pool} are in use by virtual machine interface ${member.configuration}.`,
      );
  },
  dispose: settle,
  view: (balancer) => {
    const backendAddressPools = poolsOf(balancer).map((pool) => ({
      ...pool,
      properties: {
        ...pool.properties,
        backendIPConfigurations: membersOf(arm, pool.id).map(({ configuration }) => ({ id: configuration })),
      },
    }));
    return render({ ...balancer, properties: { ...balancer.properties, backendAddressPools } });
  },
});

export const partsOf = (balancer: Resource, kind: string): readonly Part[] =>
  (balancer.properties[kind] ?? []) as readonly Part[];

const poolsOf = (balancer: Resource): readonly Part[] => partsOf(balancer, 'backendAddressPools');

/** Configurations of NICs that joined a pool, with their private addresses. */
export const membersOf = (
  arm: Arm,
  pool: string,
): readonly { readonly pool: string; readonly configuration: string; readonly address: string }[] =>
  arm.resources
    .list('nic')
    .flatMap(ipConfigurationsOf)
    .filter(({ properties }) => poolIdsOf(properties).some((id) => sameId(id, pool)))
    .map(({ id, properties }) => ({ pool, configuration: id, address: properties.privateIPAddress }));

export const poolIdsOf = (properties: Json): readonly string[] =>
  ((properties.loadBalancerBackendAddressPools ?? []) as readonly { readonly id: string }[]).map(
    ({ id }) => id,
  );

/** The pool that an id names. */
export const poolById = (arm: Arm, id: string): Part | undefined =>
  arm.resources
    .list('loadBalancer')
    .flatMap(poolsOf)
    .find((pool) => sameId(pool.id, id));

function requireFreeAddress(arm: Arm, id: string, frontend: Json): void {
  const address = (frontend.publicIPAddress as { readonly id: string } | undefined)?.id;
  if (address === undefined)
    throw new ArmError(
      400,
      'LoadBalancerFrontendIPConfigMustHavePublicIPAddress',
      `A frontend of ${id} has no public address: the local data centre balances what comes from outside only.`,
    );
  if (arm.resources.find('publicIp', address) === undefined) throw invalidReference(address, id);
  const holder = holderOfAddress(arm, address)?.id ?? balancerOfAddress(arm, address)?.id;
  if (holder !== undefined && !sameId(holder, id))
    throw new ArmError(
      400,
      'PublicIPAddressInUse',
      `Resource ${address} is already allocated to resource ${holder}.`,
    );
}

/** The load balancer whose frontend has a public address. */
export const balancerOfAddress = (arm: Arm, address: string): Resource | undefined =>
  arm.resources
    .list('loadBalancer')
    .find((balancer) =>
      partsOf(balancer, 'frontendIPConfigurations').some(({ properties }) =>
        sameId((properties.publicIPAddress as { readonly id: string } | undefined)?.id ?? '', address),
      ),
    );

function requireRules(id: string, accepted: Readonly<Record<string, readonly Part[]>>): void {
  const known = new Set(
    Object.values(accepted).flatMap((parts) => parts.map((part) => part.id.toLowerCase())),
  );
  const ports = new Set<string>();
  for (const { name, id: rule, properties } of accepted.loadBalancingRules ?? []) {
    for (const property of ['frontendIPConfiguration', 'backendAddressPool', 'probe']) {
      const reference = (properties[property] as { readonly id: string } | undefined)?.id;
      if (reference !== undefined && !known.has(reference.toLowerCase()))
        throw invalidReference(reference, rule);
    }
    const port = `${(properties.frontendIPConfiguration as { id: string }).id} ${properties.protocol} ${properties.frontendPort}`;
    if (ports.has(port))
      throw new ArmError(
        400,
        'RulesUseSameFrontendPortProtocolAndIPConfig',
        `Load balancing rule ${name} of ${id} uses the frontend port ${properties.frontendPort} of another rule.`,
      );
    ports.add(port);
  }
}

/** A pool with members cannot go. */
function requireMembers(arm: Arm, before: Resource | undefined, pools: readonly Part[]): void {
  for (const pool of before === undefined ? [] : poolsOf(before)) {
    const [member] = membersOf(arm, pool.id);
    if (member !== undefined && !pools.some(({ id }) => sameId(id, pool.id)))
      throw new ArmError(
        400,
        'InUseBackendAddressPoolCannotBeDeleted',
        `Backend address pool ${pool.id} is in use by ${member.configuration}.`,
      );
  }
}

const duplicate = (id: string, kind: string, name: string) =>
  new ArmError(400, 'DuplicateResourceName', `Two ${kind} of ${id} are called ${name}.`);
