import type { JobSpec, ServiceSpec, SidecarSpec } from '../model/application.ts';
import type { JobKey } from '../model/job.ts';
import type { PlacementSpec } from '../model/placement.ts';
import { portText } from '../model/placement.ts';
import { type ServiceKey, serviceId } from '../model/service.ts';
import type { Demand, Wishes } from '../scheduling/demand.ts';
import type { Home } from './volumes.ts';

/** What a replica of a revision needs of a machine. @param template number that the revision's containers carry */
export function replicaDemand(key: ServiceKey, spec: ServiceSpec, template: number): Demand {
  const follows = spec.mode === 'one-per-machine';
  const fixed = (spec.ports ?? []).map(portText);
  const wishes = wishesOf(key, spec.placement, follows ? 1 : undefined);
  return {
    ...withSidecars(resourcesOf(spec), spec),
    port: spec.port !== undefined,
    set: `${serviceId(key)}.r${template}`,
    ...(fixed.length > 0 && { fixed }),
    ...(wishes && { wishes }),
    ...(follows && { follows }),
  };
}

/** Only on the machine that has the slot's volumes, where one has. */
export const demandAt = (home: Home, demand: Demand): Demand =>
  home.home === 'there'
    ? {
        ...demand,
        wishes: {
          ...demand.wishes,
          constraints: [...(demand.wishes?.constraints ?? []), `machine == ${home.machine}`],
        },
      }
    : demand;

export function runDemand(key: JobKey, spec: JobSpec): Demand {
  const wishes = wishesOf(key, spec.placement);
  return { ...resourcesOf(spec), port: false, ...(wishes && { wishes }) };
}

/** A service or job, as `placement` names it, as a group. */
function referredGroup(
  { environment, application }: Pick<ServiceKey, 'environment' | 'application'>,
  reference: string,
): string {
  const [first = '', second] = reference.split('/');
  return second === undefined
    ? `${environment}.${application}.${first}`
    : `${environment}.${first}.${second}`;
}

const resourcesOf = ({ resources: { cpu, memory, gpu } }: ServiceSpec | JobSpec) => ({
  cpu,
  memory,
  ...(gpu !== undefined && gpu > 0 && { gpu }),
});

/** A replica is on one machine with what stands beside it. */
function withSidecars<R extends { cpu: number; memory: number }>(own: R, { sidecars }: ServiceSpec): R {
  const beside = Object.values<SidecarSpec>(sidecars ?? {}).map(({ resources }) => resources);
  if (beside.length === 0) return own;
  const sum = (of: 'cpu' | 'memory') => beside.reduce((total, one) => total + one[of], own[of]);
  return { ...own, cpu: sum('cpu'), memory: sum('memory') };
}

function wishesOf(
  key: Pick<ServiceKey, 'environment' | 'application'>,
  placement: PlacementSpec = {},
  atMost = placement.atMostPerMachine,
): Wishes | undefined {
  const groups = (references: readonly string[]) => references.map((one) => referredGroup(key, one));
  const { constraints = [], affinity = [], antiAffinity = [], spread, strategy } = placement;
  const wishes: Wishes = {
    ...(constraints.length > 0 && { constraints }),
    ...(affinity.length > 0 && { affinity: groups(affinity) }),
    ...(antiAffinity.length > 0 && { antiAffinity: groups(antiAffinity) }),
    ...(spread !== undefined && { spread }),
    ...(strategy !== undefined && { strategy }),
    ...(atMost !== undefined && { atMost }),
  };
  return Object.keys(wishes).length === 0 ? undefined : wishes;
}
