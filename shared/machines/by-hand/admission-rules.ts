import { portsOf } from '../../model/admission.ts';

/** An inbound rule of a security group. */
export interface AdmissionRule {
  readonly name: string;
  /** The smallest that fits decides. */
  readonly priority: number;
  readonly access: 'Allow' | 'Deny';
  readonly protocol: 'Tcp' | 'Udp' | '*';
  readonly sources: readonly string[];
  /** `80`, `8000-8010`, `*`. */
  readonly ports: readonly string[];
}

const ENGINE = '2376';
const SSH = '22';

/**
 * Whom a machine made by hand admits: the app to its engine, and from `allowFrom` engine, ssh and the open ports; nobody
 * else, also not other machines of the network. Pure. @param app CIDR
 */
export function admissionRules(
  app: string,
  { allowFrom, openPorts }: { readonly allowFrom: readonly string[]; readonly openPorts: readonly string[] },
): readonly AdmissionRule[] {
  const open = (wanted: 'tcp' | 'udp'): string[] =>
    openPorts
      .map(portsOf)
      .filter(({ protocol }) => protocol === wanted)
      .map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
  const udp = open('udp');
  const from = (name: string, priority: number, protocol: 'Tcp' | 'Udp', ports: readonly string[]) =>
    ({ name, priority, access: 'Allow', protocol, sources: allowFrom, ports: [...new Set(ports)] }) as const;
  return [
    {
      name: 'AllowEngineFromApp',
      priority: 1000,
      access: 'Allow',
      protocol: 'Tcp',
      sources: [app],
      ports: [ENGINE],
    },
    ...(allowFrom.length === 0
      ? []
      : [
          from('AllowUser', 1010, 'Tcp', [ENGINE, SSH, ...open('tcp')]),
          ...(udp.length === 0 ? [] : [from('AllowUserUdp', 1020, 'Udp', udp)]),
        ]),
    { name: 'DenyOthers', priority: 4010, access: 'Deny', protocol: '*', sources: ['*'], ports: ['*'] },
  ];
}
