import type { ApplicationSpec, ServiceSpec } from '../model/application.ts';

import type { EnvironmentName, ServiceName } from '../model/names.ts';
import type { DeploymentPlan, PartChange, PlanPins } from '../model/plan.ts';
import { PoolSpec } from '../model/pool.ts';
import { type Replica, type Service, templateOf } from '../model/service.ts';
import type { Sight } from '../scheduling/explain.ts';
import { isAccepted } from './change-service.ts';
import { type PlannedService, planPool } from './plan-placement.ts';
import { canonical, sameContainers } from './same-spec.ts';
import { specDiff } from './spec-diff.ts';
import type { Home } from './volumes.ts';

/** What there is, and what is wanted. */
interface Planning {
  readonly environment: EnvironmentName;
  /** As it was admitted. */
  readonly spec: ApplicationSpec;
  readonly pins: PlanPins;
  /** As it was deployed last. */
  readonly before: ApplicationSpec | undefined;
  readonly services: readonly Service[];
  /** Of the services, by their names. */
  readonly replicas: ReadonlyMap<string, readonly Replica[]>;
  readonly pools: ReadonlyMap<string, PoolSpec>;
  /** Each pool that a service is in or goes to, as it would be. */
  readonly sights: ReadonlyMap<string, Sight>;
  /** Where slots have to be, since their volumes are there, by service. */
  readonly homes: ReadonlyMap<string, ReadonlyMap<number, Home>>;
  /** Why images are refused, by service. */
  readonly refused: ReadonlyMap<string, readonly string[]>;
  readonly now: Date;
}

/** What a deployment would change, where replicas would go, and what it would cost. Pure. */
export function makePlan(planning: Planning): DeploymentPlan {
  const { environment, spec, pins, sights, now } = planning;
  const services = planning.services.filter(({ removing }) => !removing);
  const wanted = Object.entries(spec.services) as [ServiceName, ServiceSpec][];
  const steps = [
    ...wanted.map(([name, service]) => stepOf(name, service, services, planning)),
    ...services
      .filter(({ key }) => !Object.hasOwn(spec.services, key.service))
      .map((service) => removalOf(service, planning)),
  ];
  const changes = [...steps.flatMap(({ change }) => change ?? []), ...otherChanges(planning)];
  const pools = [...sights].map(([name, sight]) =>
    planPool(
      steps.flatMap(({ planned, pool }) => (planned !== undefined && pool === name ? [planned] : [])),
      sight,
      (sight.pools.get(name) ?? PoolSpec.parse({})).minimum,
    ),
  );
  const changed = new Set(changes.filter(({ kind }) => kind === 'service').map(({ name }) => name));
  const placement = pools.flatMap((pool) => pool.placement).filter(({ service }) => changed.has(service));
  const total = (figure: 'before' | 'after' | 'idle') =>
    Number(pools.reduce((sum, { hourly }) => sum + hourly[figure], 0).toFixed(4));
  return {
    format: 'berth-plan-1',
    environment,
    application: spec.name,
    madeAt: now.toISOString(),
    empty: changes.length === 0,
    changes,
    placement,
    machines: pools.flatMap((pool) => pool.machines),
    hourly: { before: total('before'), after: total('after'), idle: total('idle') },
    warnings: [
      ...steps.flatMap(({ warnings }) => warnings),
      ...placement
        .filter(({ machine }) => machine === undefined)
        .map(({ service, slot, reason }) => `${service}/${slot} would have no room: ${reason}`),
    ],
    pins,
    spec,
  };
}

interface Step {
  readonly change: PartChange | undefined;
  readonly pool: string;
  /** Absent: nothing of it is started or stopped. */
  readonly planned: PlannedService | undefined;
  readonly warnings: readonly string[];
}

function stepOf(
  name: ServiceName,
  spec: ServiceSpec,
  services: readonly Service[],
  planning: Planning,
): Step {
  const { environment, pins, refused } = planning;
  const key = { environment, application: planning.spec.name, service: name };
  const service = services.find((one) => one.key.service === name);
  const digest = pins.digests[name] ?? undefined;
  const replicas = planning.replicas.get(name) ?? [];
  const fields = service === undefined ? specDiff({}, spec) : specDiff(service.spec, spec);
  const accepted = service?.accepted;
  const moved = digest !== undefined && accepted !== undefined && accepted.digest !== digest;
  const digests = moved
    ? [{ path: 'digest', change: 'changed' as const, before: accepted.digest, after: digest }]
    : [];
  const again =
    service?.rollout.state === 'failed' && digest !== undefined && !isAccepted(service, spec, digest);
  const kind = 'service' as const;
  const same = service !== undefined && fields.length === 0 && digests.length === 0 && !again;
  const says = refused.get(name);
  if (digest === undefined || says !== undefined) {
    const why =
      says === undefined
        ? `its image ${spec.image} is not in the registry`
        : `its image is refused: ${says.join(' ')}`;
    const effect = `${why}: ${accepted === undefined ? 'nothing starts' : 'what runs goes on'} until that changes.`;
    return {
      change: same
        ? undefined
        : { kind, name, change: service === undefined ? 'added' : 'changed', fields, effect },
      pool: spec.pool,
      planned: undefined,
      warnings: same ? [] : [`${name}: ${why}`],
    };
  }
  const keeps = accepted !== undefined && !moved && !again && sameContainers(accepted.spec, spec);
  const template = keeps ? templateOf(accepted) : Math.max(accepted?.number ?? 0, service?.revision ?? 0) + 1;
  return {
    change: same
      ? undefined
      : {
          kind,
          name,
          change: service === undefined ? 'added' : 'changed',
          fields: [...fields, ...digests],
          effect: effectOf(spec, accepted?.spec, replicas.length, keeps, again),
        },
    pool: spec.pool,
    planned: same ? undefined : { key, spec, template, replicas, homes: planning.homes.get(name) },
    warnings: [],
  };
}

function effectOf(
  spec: ServiceSpec,
  before: ServiceSpec | undefined,
  running: number,
  keeps: boolean,
  again: boolean,
): string {
  const count = spec.mode === 'one-per-machine' ? 'one replica on each machine' : replicasText(spec.replicas);
  if (before === undefined) return `${count} ${spec.replicas === 1 ? 'is' : 'are'} started.`;
  if (!keeps) {
    const how = spec.rollout?.strategy ?? 'rolling';
    return `${again ? 'Its rollout failed and is tried again: ' : ''}${running === 0 ? `${count} started` : `every replica (${running}) is replaced, ${how}`}.`;
  }
  const more = spec.replicas - before.replicas;
  if (more === 0) return 'No container is restarted.';
  return more > 0
    ? `${replicasText(more)} more; those that run stay.`
    : `${replicasText(-more)} fewer; the others stay.`;
}

const replicasText = (count: number): string => `${count} replica${count === 1 ? '' : 's'}`;

function removalOf({ key, spec }: Service, { replicas }: Planning): Step {
  const own = replicas.get(key.service) ?? [];
  return {
    change: {
      kind: 'service',
      name: key.service,
      change: 'removed',
      fields: [],
      effect: own.length === 0 ? 'Nothing of it runs.' : `${replicasText(own.length)} stopped.`,
    },
    pool: spec.pool,
    planned: { key, spec: undefined, template: 0, replicas: own },
    warnings: [],
  };
}

/** Jobs, pools, volumes, configs and secrets. */
function otherChanges({ spec, before, pools, sights }: Planning): PartChange[] {
  const kinds = [
    { kind: 'job', was: before?.jobs ?? {}, is: spec.jobs, gone: true },
    { kind: 'pool', was: Object.fromEntries(pools), is: spec.pools, gone: false },
    { kind: 'volume', was: before?.volumes ?? {}, is: spec.volumes, gone: true },
    { kind: 'config', was: before?.configs ?? {}, is: spec.configs, gone: true },
    { kind: 'secret', was: before?.secrets ?? {}, is: spec.secrets, gone: true },
  ] as const;
  return kinds.flatMap(({ kind, was, is, gone }) => {
    const old = new Map<string, unknown>(Object.entries(was));
    const current = new Map<string, unknown>(Object.entries(is));
    const names = [...new Set([...(gone ? old.keys() : []), ...current.keys()])].sort();
    return names.flatMap((name): PartChange[] => {
      const [a, b] = [old.get(name), current.get(name)];
      if (canonical(a) === canonical(b)) return [];
      const change = a === undefined ? 'added' : b === undefined ? 'removed' : 'changed';
      const fields = change === 'removed' ? [] : specDiff(a ?? {}, b);
      return [{ kind, name, change, fields, effect: otherEffect(kind, change, fields, sights.get(name)) }];
    });
  });
}

function otherEffect(
  kind: PartChange['kind'],
  change: PartChange['change'],
  fields: PartChange['fields'],
  sight: Sight | undefined,
): string {
  if (kind === 'job') return change === 'removed' ? 'Its schedule ends.' : 'Its next run is made so.';
  if (kind !== 'pool') return change === 'removed' ? 'Nothing uses it any more.' : 'Given to what names it.';
  const count = sight?.machines.length ?? 0;
  const replaced = fields.some(({ path }) => path === 'image');
  if (change === 'changed' && replaced && count > 0)
    return `Its ${count === 1 ? 'machine is' : `${count} machines are`} replaced one after another.`;
  return change === 'added' ? 'Machines come as they are needed.' : 'Machines that there are stay.';
}
