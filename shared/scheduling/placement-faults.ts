import type { KnownSku } from '../machines/offerings/offering.ts';
import { usable } from '../machines/usable.ts';
import type { ApplicationSpec, JobSpec, ServiceSpec } from '../model/application.ts';
import type { Issue } from '../model/invalid.ts';
import type { Machine } from '../model/machine.ts';
import { nearest } from '../model/nearest.ts';
import { type Constraint, constraintText, holds, portText } from '../model/placement.ts';
import { PoolSpec } from '../model/pool.ts';
import { constraintsOf } from './demand.ts';
import { mostMachines } from './most-machines.ts';
import { type Claimant, portClaims } from './port-claims.ts';

/** What an application is placed among. */
export interface Surroundings {
  /** Pools as they are stored; those of the application come before them. */
  readonly pools: ReadonlyMap<string, PoolSpec>;
  /** Of all pools. */
  readonly machines: readonly Machine[];
  /** Pools of the other services and jobs of the environment, by `application/service`. */
  readonly others: ReadonlyMap<string, string>;
  /** Services of other applications and environments; absent: none. */
  readonly neighbours?: readonly Claimant[];
  /** Sizes of the region; absent where they are not known just now. */
  readonly skus?: readonly KnownSku[] | undefined;
}

/** What could never be placed, whatever is free: refused before anything of the application is changed. Pure. */
export function placementFaults(spec: ApplicationSpec, around: Surroundings): readonly Issue[] {
  const pools = new Map([...around.pools, ...Object.entries(spec.pools)]);
  const parts = new Map(around.others);
  const all = [
    ...Object.entries(spec.services).map(([name, part]) => ({ kind: 'services', name, part })),
    ...Object.entries(spec.jobs).map(([name, part]) => ({ kind: 'jobs', name, part })),
  ];
  for (const { name, part } of all) parts.set(`${spec.name}/${name}`, part.pool);
  const poolOf = (name: string) => pools.get(name) ?? PoolSpec.parse({});
  const own = Object.entries(spec.services).map(
    ([name, part]): Claimant => ({ name: `${spec.name}/${name}`, path: `services.${name}`, spec: part }),
  );
  const alone = all.flatMap(({ kind, name, part }) => {
    const pool = poolOf(part.pool);
    const faults = [
      ...ofConstraints(part, pool, pools, around.machines),
      ...ofGpus(part, pool, around.skus),
      ...ofSizes(part, pool, around.skus),
      ...('replicas' in part ? tooMany(part, pool) : []),
      ...ofReferences(part, spec.name, parts),
    ];
    return faults.map(({ path, message }) => ({ path: `${kind}.${name}.${path}`, message }));
  });
  // One that has too many replicas by itself is told so alone.
  const told = new Set(alone.map(({ path }) => path.split('.')[1]));
  const together = portClaims([...own, ...(around.neighbours ?? [])], poolOf);
  return [...alone, ...together.filter(({ path }) => !told.has(path.split('.')[1]))];
}

type Part = ServiceSpec | JobSpec;

/** Each condition must hold on some machine: one that may come, or one that there is. */
function ofConstraints(
  part: Part,
  pool: PoolSpec,
  pools: ReadonlyMap<string, PoolSpec>,
  machines: readonly Machine[],
): Issue[] {
  const there = machines.filter((machine) => machine.pool === part.pool);
  return constraintsOf(part.placement?.constraints ?? []).flatMap((constraint, at): Issue[] => {
    const known = there.some((one) => holds(constraint, { ...one, machine: one.name }));
    if (known || mayHold(constraint, pool)) return [];
    const path = `placement.constraints.${at}`;
    return [
      { path, message: `${lacking(constraint, part.pool, pool)}${elsewhere(constraint, part.pool, pools)}` },
    ];
  });
}

/** Whether a machine of a pool may come to fulfil a condition. */
export function mayHold(constraint: Constraint, { labels, sizes, zones }: PoolSpec): boolean {
  const may = (facts: { zone?: string; size?: string }) =>
    holds(constraint, { machine: '', labels, ...facts });
  switch (constraint.on) {
    case 'label':
      return may({});
    case 'size':
      return sizes.some((size) => may({ size }));
    case 'zone':
      return zones.length === 0 ? may({}) : zones.some((zone) => may({ zone }));
    case 'machine':
      return !constraint.is;
  }
}

function lacking(constraint: Constraint, name: string, { labels, sizes, zones }: PoolSpec): string {
  const has = {
    label: Object.entries(labels).map(([key, value]) => `${key}=${value}`),
    size: sizes,
    zone: zones,
    machine: [],
  }[constraint.on];
  const words = { label: 'labels', size: 'sizes', zone: 'zones', machine: '' }[constraint.on];
  if (constraint.on === 'machine')
    return `pool ${name} has no machine with ${constraintText(constraint)}, and new ones get other names`;
  const what = has.length === 0 ? `it has no ${words}` : `its ${words} are ${has.join(', ')}`;
  return `pool ${name} never has a machine with ${constraintText(constraint)}: ${what}`;
}

function elsewhere(constraint: Constraint, own: string, pools: ReadonlyMap<string, PoolSpec>): string {
  const found = [...pools].filter(([name, pool]) => name !== own && mayHold(constraint, pool));
  if (constraint.on === 'machine' || found.length === 0) return '';
  return `; ${found.map(([name]) => `pool ${name}`).join(' and ')} ${found.length === 1 ? 'has' : 'have'}`;
}

function ofGpus(
  { resources: { gpu = 0 }, pool: name }: Part,
  { sizes }: PoolSpec,
  skus: readonly KnownSku[] | undefined,
): Issue[] {
  if (gpu === 0 || skus === undefined || skus.length === 0) return [];
  const known = sizes.flatMap(
    (size) => skus.find((one) => one.name.toLowerCase() === size.toLowerCase()) ?? [],
  );
  const most = Math.max(0, ...known.map(({ gpus = 0 }) => gpus));
  if (most >= gpu) return [];
  const has = most === 0 ? 'none of its sizes has one' : `the most that one of its sizes has is ${most}`;
  return [
    {
      path: 'resources.gpu',
      message: `pool ${name} never has a machine with ${gpu} GPU${gpu === 1 ? '' : 's'}: ${has} (${sizes.join(', ')})`,
    },
  ];
}

/** Cores and memory of which no size of the pool has so much; a size that is not known may have any. */
function ofSizes(
  { resources, pool: name }: Part,
  { sizes }: PoolSpec,
  skus: readonly KnownSku[] | undefined,
): Issue[] {
  if (skus === undefined || skus.length === 0) return [];
  const known = sizes.map((size) => skus.find((one) => one.name.toLowerCase() === size.toLowerCase()));
  if (known.includes(undefined)) return [];
  const rooms = known.flatMap((sku) => (sku === undefined ? [] : usable(sku)));
  return (['cpu', 'memory'] as const).flatMap((what) => {
    const most = Math.max(...rooms.map((room) => room[what]));
    if (resources[what] <= most) return [];
    const unit = what === 'cpu' ? 'cores' : 'MiB of memory';
    return [
      {
        path: `resources.${what}`,
        message: `pool ${name} never has a machine with ${resources[what]} ${unit} for containers: the most that one of its sizes has is ${most} (${sizes.join(', ')})`,
      },
    ];
  });
}

/** More replicas than the pool's machines could hold, each on one of its own. */
export function tooMany(
  { replicas, placement, ports = [], mode, pool: name }: ServiceSpec,
  pool: PoolSpec,
): Issue[] {
  if (mode === 'one-per-machine') return [];
  const each = ports.length > 0 ? 1 : placement?.atMostPerMachine;
  if (each === undefined) return [];
  const most = mostMachines(pool);
  if (replicas <= most * each) return [];
  const [port] = ports;
  const why =
    port === undefined ? `at most ${each} of them on a machine` : `port ${portText(port)} once on a machine`;
  return [
    {
      path: 'replicas',
      message: `${replicas} replicas do not fit, with ${why}: pool ${name} has at most ${most} machines, so that there is room for ${most * each}`,
    },
  ];
}

function ofReferences(
  { placement = {}, pool }: Part,
  application: string,
  parts: ReadonlyMap<string, string>,
): Issue[] {
  return (['affinity', 'antiAffinity'] as const).flatMap((list) =>
    (placement[list] ?? []).flatMap((reference, at): Issue[] => {
      const full = reference.includes('/') ? reference : `${application}/${reference}`;
      const there = parts.get(full);
      const path = `placement.${list}.${at}`;
      if (there === undefined) {
        const [first] = nearest(full, parts.keys());
        const hint = first === undefined ? '' : `: did you mean ${first}?`;
        return [{ path, message: `the environment has no service or job ${full}${hint}` }];
      }
      if (list === 'affinity' && there !== pool)
        return [
          { path, message: `${full} is in pool ${there}: no machine of pool ${pool} ever has one of it` },
        ];
      return [];
    }),
  );
}
