import type { Progress } from '../cloud.ts';
import { type AdmissionRule, admissionRules } from './admission-rules.ts';
import type { PublicAccess } from './public-access.ts';

/** Public addresses and security groups that are only remembered: `memoryCloud` lists and deletes them. */
export interface MemoryPublicAccess extends PublicAccess {
  readonly kept: Map<string, KeptAccess>;
}

/** By its name in ARM. */
export interface KeptAccess {
  readonly kind: 'public-ip' | 'security-group';
  readonly machine: string;
  readonly createdAt: string;
  readonly address?: string;
  readonly hostname?: string;
  readonly rules?: readonly AdmissionRule[];
}

export function memoryPublicAccess(now: () => Date = () => new Date()): MemoryPublicAccess {
  const kept = new Map<string, KeptAccess>();
  let last = 0;
  const going = (kind: KeptAccess['kind'], name: string): Progress => ({
    status: 'going',
    operation: { kind, name, state: '{}' },
    afterMs: 1,
  });
  return {
    kept,
    async createPublicIp({ name, machine, dnsLabel }) {
      if (kept.has(name)) return { status: 'done' };
      last += 1;
      kept.set(name, {
        kind: 'public-ip',
        machine,
        createdAt: now().toISOString(),
        address: `203.0.113.${last}`,
        ...(dnsLabel !== undefined && { hostname: `${dnsLabel}.westeurope.cloudapp.azure.com` }),
      });
      return going('public-ip', name);
    },
    async publicIp(name) {
      const found = kept.get(name);
      return found && { address: found.address, hostname: found.hostname };
    },
    async putSecurityGroup({ name, machine, ...admitted }) {
      const rules = admissionRules('10.20.255.0/24', admitted);
      kept.set(name, { kind: 'security-group', machine, createdAt: now().toISOString(), rules });
      return going('security-group', name);
    },
  };
}
