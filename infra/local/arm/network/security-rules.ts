import { z } from 'zod';
import { ArmError } from '../requests/arm-error.ts';
import { Reference } from '../requests/bodies.ts';
import { parseBlock } from './ipv4.ts';

const ports = z.string().regex(/^(\*|\d{1,5}(-\d{1,5})?)$/, 'expected a port, a range from-to, or *');

/** A rule of a security group as it is sent. https://learn.microsoft.com/rest/api/virtualnetwork/security-rules */
export const RuleBody = z.looseObject({
  name: z.string().min(1).max(80),
  properties: z.looseObject({
    protocol: z.string(),
    access: z.string(),
    direction: z.string(),
    priority: z.number().int(),
    sourceAddressPrefix: z.string().optional(),
    sourceAddressPrefixes: z.array(z.string()).optional(),
    destinationAddressPrefix: z.string().optional(),
    destinationAddressPrefixes: z.array(z.string()).optional(),
    destinationApplicationSecurityGroups: z.array(Reference).optional(),
    sourcePortRange: ports.optional(),
    sourcePortRanges: z.array(ports).optional(),
    destinationPortRange: ports.optional(),
    destinationPortRanges: z.array(ports).optional(),
  }),
});
export type RuleBody = z.infer<typeof RuleBody>;

const TAGS = ['*', 'virtualnetwork', 'internet', 'azureloadbalancer'];

const oneOf = (value: string, allowed: readonly string[]): string | undefined =>
  allowed.find((candidate) => candidate.toLowerCase() === value.toLowerCase());

/** The rule in Azure's spelling. @throws ArmError with the codes of Microsoft.Network */
export function acceptRule(body: RuleBody, groupId: string): RuleBody {
  const { name, properties } = body;
  const id = `${groupId}/securityRules/${name}`;
  const protocol = oneOf(properties.protocol, ['Tcp', 'Udp', 'Icmp', '*']);
  const access = oneOf(properties.access, ['Allow', 'Deny']);
  const direction = oneOf(properties.direction, ['Inbound', 'Outbound']);
  if (protocol === undefined || access === undefined || direction === undefined)
    throw new ArmError(
      400,
      'InvalidRequestFormat',
      `Rule ${id}: protocol is Tcp, Udp, Icmp or *, access Allow or Deny, direction Inbound or Outbound; found ${properties.protocol}, ${properties.access}, ${properties.direction}.`,
    );
  if (properties.priority < 100 || properties.priority > 4096)
    throw new ArmError(
      400,
      'SecurityRuleInvalidPriority',
      `Security rule has invalid Priority. Value provided: ${properties.priority} Allowed range 100-4096.`,
    );
  for (const prefix of [...sources(body), ...destinations(body)])
    if (!TAGS.includes(prefix.toLowerCase()) && parseBlock(prefix) === undefined)
      throw new ArmError(
        400,
        'SecurityRuleInvalidAddressPrefix',
        `Security rule has invalid Address prefix. Value provided: ${prefix}`,
      );
  if (sources(body).length === 0 || destinations(body).length + joined(body).length === 0)
    throw new ArmError(
      400,
      'SecurityRuleParameterContainsUnsupportedValue',
      `Rule ${id}: a source address prefix, and a destination address prefix or application security group are needed.`,
    );
  if (destinationPorts(body).length === 0)
    throw new ArmError(
      400,
      'SecurityRuleInvalidPortRange',
      `Security rule has invalid Port range: rule ${id} names no destination port.`,
    );
  return { ...body, name, properties: { ...properties, protocol, access, direction } };
}

const both = (one: string | undefined, many: readonly string[] | undefined): readonly string[] => [
  ...(one === undefined || one === '' ? [] : [one]),
  ...(many ?? []),
];

export const sources = ({ properties: p }: RuleBody) => both(p.sourceAddressPrefix, p.sourceAddressPrefixes);
export const destinations = ({ properties: p }: RuleBody) =>
  both(p.destinationAddressPrefix, p.destinationAddressPrefixes);
/** Ids of the application security groups whose members a rule is about. */
export const joined = ({ properties: p }: RuleBody): readonly string[] =>
  (p.destinationApplicationSecurityGroups ?? []).map(({ id }) => id);
export const destinationPorts = ({ properties: p }: RuleBody) =>
  both(p.destinationPortRange, p.destinationPortRanges);

const defaultRule = (
  name: string,
  priority: number,
  access: string,
  direction: string,
  source: string,
  destination: string,
): RuleBody => ({
  name,
  properties: {
    description: '',
    protocol: '*',
    sourcePortRange: '*',
    destinationPortRange: '*',
    sourceAddressPrefix: source,
    destinationAddressPrefix: destination,
    access,
    priority,
    direction,
    provisioningState: 'Succeeded',
  },
});

/** https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules */
export const DEFAULT_RULES: readonly RuleBody[] = [
  defaultRule('AllowVnetInBound', 65000, 'Allow', 'Inbound', 'VirtualNetwork', 'VirtualNetwork'),
  defaultRule('AllowAzureLoadBalancerInBound', 65001, 'Allow', 'Inbound', 'AzureLoadBalancer', '*'),
  defaultRule('DenyAllInBound', 65500, 'Deny', 'Inbound', '*', '*'),
  defaultRule('AllowVnetOutBound', 65000, 'Allow', 'Outbound', 'VirtualNetwork', 'VirtualNetwork'),
  defaultRule('AllowInternetOutBound', 65001, 'Allow', 'Outbound', '*', 'Internet'),
  defaultRule('DenyAllOutBound', 65500, 'Deny', 'Outbound', '*', '*'),
];
