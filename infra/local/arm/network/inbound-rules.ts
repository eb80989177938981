import type { InboundRule } from '../../machine-runtime/machine-runtime.ts';
import type { Arm } from '../arm.ts';
import { type Resource, sameId } from '../resources/resource.ts';
import { groupsOf } from './application-groups.ts';
import { combine, rulesFor } from './effective-rules.ts';
import { ipConfigurationsOf, referenceOf, subnetById } from './references.ts';
import { rulesOf } from './security-groups.ts';

/** Without any security group Azure lets everything in. */
const OPEN: readonly InboundRule[] = [
  { name: 'NoSecurityGroup', priority: 100, access: 'Allow', protocol: '*', sources: ['*'], ports: ['*'] },
];

/** What may reach a machine: the rules of its NIC and of its subnet together. */
export function inboundRules(arm: Arm, nic: Resource): readonly InboundRule[] {
  const configuration = ipConfigurationsOf(nic)[0];
  const place = configuration && subnetById(arm, configuration.properties.subnet.id);
  if (configuration === undefined || place === undefined) return OPEN;
  const space = (place.vnet.properties.addressSpace as { addressPrefixes: readonly string[] })
    .addressPrefixes;
  const ids = [place.subnet.properties.networkSecurityGroup?.id, referenceOf(nic, 'networkSecurityGroup')];
  const [outer, inner] = ids
    .flatMap((id) => (id === undefined ? [] : (arm.resources.find('nsg', id) ?? [])))
    .map((group) =>
      rulesFor(rulesOf(group), configuration.properties.privateIPAddress, space, groupsOf(nic)),
    );
  if (outer === undefined) return OPEN;
  return inner === undefined ? outer : combine(outer, inner);
}

/** Enforces the rules in the machines of these NICs that run. */
export async function enforce(arm: Arm, nics: readonly Resource[]): Promise<void> {
  for (const nic of nics) {
    const vm = arm.resources.find('vm', referenceOf(nic, 'virtualMachine') ?? '');
    if (vm === undefined) continue;
    if ((await arm.runtime.state(vm.name)) === 'running')
      await arm.runtime.setInboundRules(vm.name, inboundRules(arm, nic));
  }
}

/** NICs whose rules follow from a network or a security group. */
export function affected(arm: Arm, changed: Resource): readonly Resource[] {
  return arm.resources.list('nic').filter((nic) => {
    if (changed.kind === 'nic') return sameId(nic.id, changed.id);
    return ipConfigurationsOf(nic).some(({ properties }) => {
      const place = subnetById(arm, properties.subnet.id);
      if (changed.kind === 'vnet') return place !== undefined && sameId(place.vnet.id, changed.id);
      const group = place?.subnet.properties.networkSecurityGroup?.id;
      return (
        sameId(group ?? '', changed.id) || sameId(referenceOf(nic, 'networkSecurityGroup') ?? '', changed.id)
      );
    });
  });
}
