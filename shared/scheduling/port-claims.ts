import type { ServiceSpec } from '../model/application.ts';
import type { Issue } from '../model/invalid.ts';
import { portText } from '../model/placement.ts';
import type { PoolSpec } from '../model/pool.ts';
import { mostMachines } from './most-machines.ts';

/** A service, and where it stands in what is deployed; absent for one of another application, which stays. */
export interface Claimant {
  /** `application/service` */
  readonly name: string;
  readonly path?: string;
  readonly spec: Pick<ServiceSpec, 'pool' | 'ports' | 'replicas' | 'mode' | 'placement'>;
}

interface Claim {
  readonly claimant: Claimant;
  readonly at: number;
  /** Machines whose port it takes. */
  readonly machines: number;
}

/**
 * Ports of machines that several services claim, on more machines than their pool may have: each alone would fit. Pure.
 * @param poolOf of a name, as it will be
 */
export function portClaims(
  claimants: readonly Claimant[],
  poolOf: (name: string) => Pick<PoolSpec, 'maximum' | 'schedule'>,
): readonly Issue[] {
  return claimsOfPorts(claimants).flatMap(({ what, claims }) => {
    const [first] = claims;
    if (first === undefined || claims.length < 2) return [];
    const { pool } = first.claimant.spec;
    const most = mostMachines(poolOf(pool));
    const needed = claims.reduce((sum, { machines }) => sum + machines, 0);
    if (needed <= most) return [];
    const who = claims
      .map(({ claimant, machines }) => `${claimant.name}, ${countText(machines)}`)
      .join(' and ');
    return claims.flatMap(({ claimant, at }) =>
      claimant.path === undefined
        ? []
        : [
            {
              path: `${claimant.path}.ports.${at}`,
              message: `port ${what} is claimed by ${who}: it is once on a machine, and pool ${pool} has at most ${most}`,
            },
          ],
    );
  });
}

const countText = (machines: number): string =>
  machines === Number.POSITIVE_INFINITY ? 'on every machine' : `on ${machines}`;

/** By pool and port. What runs on some machines alone, by conditions, may be apart from others: nothing is said of it. */
function claimsOfPorts(claimants: readonly Claimant[]) {
  const found = new Map<string, { readonly what: string; readonly claims: Claim[] }>();
  for (const claimant of claimants) {
    const { spec } = claimant;
    const everywhere = spec.mode === 'one-per-machine';
    if (everywhere && (spec.placement?.constraints ?? []).length > 0) continue;
    const machines = everywhere ? Number.POSITIVE_INFINITY : spec.replicas;
    if (machines === 0) continue;
    for (const [at, port] of (spec.ports ?? []).entries()) {
      const what = portText(port);
      const one = found.get(`${spec.pool} ${what}`) ?? { what, claims: [] };
      one.claims.push({ claimant, at, machines });
      found.set(`${spec.pool} ${what}`, one);
    }
  }
  return [...found.values()];
}
