import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Arm } from '../arm.ts';
import { ArmError } from '../requests/arm-error.ts';
import { parseBody } from '../requests/bodies.ts';
import { type Resource, render } from '../resources/resource.ts';
import type { Tracked } from '../resources/tracked.ts';
import { nicsOfGroup, subnetsOfGroup } from './references.ts';
import { acceptRule, DEFAULT_RULES, RuleBody } from './security-rules.ts';
import { etag } from './virtual-networks.ts';

const Body = z.looseObject({
  properties: z.looseObject({ securityRules: z.array(RuleBody).default([]) }).default({ securityRules: [] }),
});

export const rulesOf = (group: Resource): readonly RuleBody[] =>
  group.properties.securityRules as readonly RuleBody[];

export const securityGroups = (arm: Arm, settle: (group: Resource) => Promise<void>): Tracked => ({
  kind: 'nsg',
  accept({ id, body, before }) {
    const { properties } = parseBody(Body, body);
    const securityRules = acceptRules(properties.securityRules, id);
    return {
      extra: { etag: etag() },
      hidden: {},
      properties: { securityRules, resourceGuid: before?.properties.resourceGuid ?? randomUUID() },
    };
  },
  settle,
  removable(group) {
    const user = nicsOfGroup(arm, group.id)[0]?.id ?? subnetsOfGroup(arm, group.id)[0]?.id;
    if (user !== undefined)
      throw new ArmError(
        400,
        'InUseNetworkSecurityGroupCannotBeDeleted',
        `Network security group ${group.id} cannot be deleted because it is in use by the following resources: ${user}. In order to delete the Network security group, remove the association with the resource(s). To learn how to do this, see aka.ms/deletensg.`,
      );
  },
  view(group) {
    const child = (rule: RuleBody, kind: string) => ({
      ...rule,
      id: `${group.id}/${kind}/${rule.name}`,
      etag: group.extra.etag,
      type: `Microsoft.Network/networkSecurityGroups/${kind}`,
      properties: { ...rule.properties, provisioningState: 'Succeeded' },
    });
    const nics = nicsOfGroup(arm, group.id).map(({ id }) => ({ id }));
    const subnets = subnetsOfGroup(arm, group.id).map(({ id }) => ({ id }));
    return render({
      ...group,
      properties: {
        ...group.properties,
        securityRules: rulesOf(group).map((rule) => child(rule, 'securityRules')),
        defaultSecurityRules: DEFAULT_RULES.map((rule) => child(rule, 'defaultSecurityRules')),
        ...(nics.length > 0 ? { networkInterfaces: nics } : {}),
        ...(subnets.length > 0 ? { subnets } : {}),
      },
    });
  },
});

/** The rules of a group, checked one by one and against each other. @throws ArmError */
export function acceptRules(bodies: readonly RuleBody[], groupId: string): readonly RuleBody[] {
  const rules = bodies.map((body) => acceptRule(body, groupId));
  const seen = new Map<string, string>();
  for (const { name, properties } of rules) {
    const key = `${properties.direction} ${properties.priority}`;
    const other = seen.get(key);
    if (other !== undefined)
      throw new ArmError(
        400,
        'SecurityRuleConflict',
        `Security rule ${name} conflicts with rule ${other}. Rules cannot have the same Priority and Direction.`,
      );
    seen.set(key, name);
  }
  return rules;
}
