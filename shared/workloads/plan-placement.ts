import type { ServiceSpec } from '../model/application.ts';
import { MachineName } from '../model/names.ts';
import type { PlannedMachine, PlannedReplica } from '../model/plan.ts';
import { containerName, type Replica, type ServiceKey, serviceId } from '../model/service.ts';
import { type Change, decide } from '../scheduling/decide.ts';
import type { Sight } from '../scheduling/explain.ts';
import { demandAt, replicaDemand } from './demand-of.ts';
import { machineSlots } from './machine-slots.ts';
import { type Home, volumesOf } from './volumes.ts';

/** What is to become of a service's replicas. */
export interface PlannedService {
  readonly key: ServiceKey;
  /** Absent: it goes. */
  readonly spec: ServiceSpec | undefined;
  /** Number that the containers of the wanted revision carry: another one than those that run have where they are replaced. */
  readonly template: number;
  readonly replicas: readonly Replica[];
  /** Where slots have to be, since their volumes are there. */
  readonly homes?: ReadonlyMap<number, Home> | undefined;
}

interface PlannedPool {
  readonly placement: readonly PlannedReplica[];
  readonly machines: readonly PlannedMachine[];
  readonly hourly: { readonly before: number; readonly after: number; readonly idle: number };
}

/** Where replicas would go and which machines would be made, by the decision that reservations use, on a copy. Pure. */
export function planPool(services: readonly PlannedService[], sight: Sight, minimum: number): PlannedPool {
  let made = 0;
  const addition = {
    ...sight.addition,
    newName: () => {
      made += 1;
      return MachineName.parse(`${sight.pool}-new-${made}`);
    },
  };
  const changes = services.flatMap((service) => changesOf(service, sight));
  const decision = decide(
    { rooms: sight.rooms, machines: sight.machines, reservations: sight.reservations },
    changes.map(({ change }) => change),
    addition,
  );
  const placement = changes.flatMap(({ service, slot, from, change }, at): PlannedReplica[] => {
    const result = decision.results[at];
    if (change.kind !== 'reserve' || slot === undefined || result === undefined) return [];
    const where = from === undefined ? {} : { from };
    if (result.outcome === 'reserved')
      return [
        { service, slot, ...where, machine: result.machine, reason: result.reason ?? 'it is there already' },
      ];
    return result.outcome === 'no-room' ? [{ service, slot, ...where, reason: result.reason }] : [];
  });
  const known = new Set(sight.rooms.map(({ machine }) => machine as string));
  const recorded = new Set(sight.machines.map(({ name }) => name as string));
  const machines = decision.changedRooms
    .filter(({ machine }) => !known.has(machine) && !recorded.has(machine))
    .map(({ machine, size, zone, hourly }) => ({
      name: machine,
      pool: sight.pool,
      ...(size !== undefined && { size }),
      ...(zone !== undefined && { zone }),
      ...(hourly !== undefined && { hourly }),
    }));
  const costs = new Map(sight.machines.map(({ name, hourly = 0 }) => [name as string, hourly]));
  for (const { machine, hourly = 0 } of sight.rooms) if (!costs.has(machine)) costs.set(machine, hourly);
  const before = sum(costs.values());
  const after = before + sum(machines.map(({ hourly = 0 }) => hourly));
  const rooms = new Map(
    [...sight.rooms, ...decision.changedRooms].map((room) => [room.machine as string, room]),
  );
  const empty = [...costs].filter(([machine]) => Object.keys(rooms.get(machine)?.groups ?? {}).length === 0);
  const spare = Math.max(0, costs.size + machines.length - minimum);
  const idle = after - sum(empty.slice(0, spare).map(([, hourly]) => hourly));
  return { placement, machines, hourly: { before: tidy(before), after: tidy(after), idle: tidy(idle) } };
}

interface Planned {
  readonly service: string;
  readonly slot?: number;
  readonly from?: string | undefined;
  readonly change: Change;
}

/** Starts before stops, as rollouts go; the other way round where an old one is in the way of a new one. */
function changesOf({ key, spec, template, replicas, homes }: PlannedService, sight: Sight): Planned[] {
  const current = replicas.filter(({ revision }) => revision === template);
  const followed = spec && machineSlots(spec, sight.machines, current);
  const slots = followed ?? Array.from({ length: spec?.replicas ?? 0 }, (_, slot) => slot);
  const stops = replicas
    .filter((one) => one.revision !== template || !slots.includes(one.slot))
    .map(
      (one): Planned => ({
        service: key.service,
        change: { kind: 'release', reservation: containerName(one) },
      }),
    );
  const starts =
    spec === undefined
      ? []
      : slots.map((slot): Planned => {
          const there = current.find((one) => one.slot === slot);
          const reservation = there === undefined ? `plan.${serviceId(key)}.${slot}` : containerName(there);
          const home: Home = homes?.get(slot) ?? { home: 'anywhere' };
          const demand = demandAt(home, replicaDemand(key, spec, template));
          const from = (there ?? replicas.find((one) => one.slot === slot))?.machine;
          return {
            service: key.service,
            slot,
            from,
            change: { kind: 'reserve', reservation, group: serviceId(key), demand, avoid: [], owner: 'plan' },
          };
        });
  const isAlone = spec !== undefined && ((spec.ports?.length ?? 0) > 0 || volumesOf(spec).length > 0);
  const oldFirst =
    (spec?.rollout === undefined && isAlone) || spec?.rollout?.surge === 0 || spec?.rollout?.surge === '0%';
  return oldFirst ? [...stops, ...starts] : [...starts, ...stops];
}

const sum = (figures: Iterable<number>): number => [...figures].reduce((total, one) => total + one, 0);
const tidy = (figure: number): number => Number(figure.toFixed(4));
