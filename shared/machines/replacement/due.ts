import type { Machine } from '../../model/machine.ts';
import type { PoolSpec } from '../../model/pool.ts';

/** Why a machine is to be replaced by one like what its pool says now. */
export interface Due {
  readonly by: 'drift' | 'expiry';
  readonly reason: string;
}

/** Machines renew their certificates a month before the end: one that did not until now will not. Milliseconds. */
const RENEWAL_FAILED = 7 * 86_400_000;

/**
 * What differs between a machine and its pool, or its age. A machine of a pool that is gone stays until it is idle; one
 * that was recorded without a profile has none to differ. Pure.
 * @param profile of what a machine of the pool would be made from now
 */
export function dueOf(machine: Machine, spec: PoolSpec, profile: string, now: Date): Due | undefined {
  const drift = driftOf(machine, spec, profile, now);
  if (drift !== undefined) return { by: 'drift', reason: drift };
  if (spec.expires === undefined || machine.createdAt === undefined) return undefined;
  const age = Math.floor((now.getTime() - Date.parse(machine.createdAt)) / 1000);
  return age < spec.expires
    ? undefined
    : { by: 'expiry', reason: `it is ${age} s old, and machines of its pool expire after ${spec.expires} s` };
}

function driftOf(machine: Machine, spec: PoolSpec, profile: string, now: Date): string | undefined {
  const { image, size, zone, priority, labels, certificate } = machine;
  if (image !== spec.image) return `its image is ${image}, and its pool has ${spec.image}`;
  if (!spec.sizes.includes(size)) return `its size is ${size}, and its pool has ${spec.sizes.join(', ')}`;
  if (zone !== undefined && spec.zones.length > 0 && !spec.zones.some((one) => one === zone))
    return `its zone is ${zone}, and its pool has ${spec.zones.join(', ')}`;
  if (priority === 'spot' && spec.spot === 'never') return 'it is a spot machine, and its pool has none';
  if (priority === 'regular' && spec.spot === 'only')
    return 'it is no spot machine, and its pool has no others';
  if (!isSame(labels, spec.labels)) return 'its labels are not those of its pool';
  if (machine.profile !== undefined && machine.profile !== profile)
    return `what it was made from is ${machine.profile}, and would be ${profile} now`;
  if (certificate !== undefined && Date.parse(certificate.notAfter) - now.getTime() < RENEWAL_FAILED)
    return `its certificate ends on ${certificate.notAfter} and was not renewed`;
  return undefined;
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
