import type { Container } from '../docker/engine.ts';
import type { Run } from '../model/job.ts';
import type { MachineName, PoolName } from '../model/names.ts';
import { containerName, type Replica, type Revision, type Service, templateOf } from '../model/service.ts';
import { networkName } from '../networks/service-names.ts';
import { mayHaveSlot } from './machine-slots.ts';
import { nextSteps } from './next-steps.ts';
import type { ObservedReplica } from './observed.ts';
import { labels, replicaOf } from './replica-container.ts';
import { desiredOf, rollOutOf } from './roll-out.ts';

/** What differs between the records and the machines, and what mends it. */
export type Finding =
  /** The service needs a rollout of what shall run. */
  | { readonly finding: 'repair'; readonly service: Service; readonly reason: string }
  /** A container that is wanted runs without a record: it gets one (`adopt`); or without reserved room. */
  | {
      readonly finding: 'adopt' | 'reserve';
      readonly replica: Replica;
      readonly revision: Revision;
      readonly reason: string;
    }
  /** Nothing wants the container. */
  | {
      readonly finding: 'remove';
      readonly machine: MachineName;
      readonly container: Container;
      readonly reason: string;
    }
  /** Room is reserved for something that is over. */
  | {
      readonly finding: 'release';
      readonly pool: PoolName;
      readonly reservation: string;
      readonly reason: string;
    };

/** A service as the sweep sees it. */
export interface SweptService {
  readonly service: Service;
  /** What shall run, and the newest that was healthy. */
  readonly revision: Revision | undefined;
  readonly healthy: Revision | undefined;
  /** Its rows, as they should be by what was seen on the machines. */
  readonly observed: readonly ObservedReplica[];
  readonly replicas: readonly Replica[];
  /** Machines of theirs that are drained. */
  readonly leaving?: readonly string[];
  /** Of a service that runs once on each machine. */
  readonly slots?: readonly number[] | undefined;
  /** A live orchestration owns it: it sees to everything. */
  readonly owned: boolean;
}

/** A service that was accepted this long ago has its orchestration, if nothing went wrong; milliseconds. */
const STARTED_MS = 15_000;

/** Whether a service that nobody owns needs a rollout, and why. */
export function repairOf(swept: SweptService, now: number): Finding | undefined {
  const { service, revision, healthy, observed, leaving = [], slots, owned } = swept;
  if (owned || revision === undefined) return undefined;
  const { accepted } = service;
  if (accepted !== undefined && now - Date.parse(accepted.acceptedAt) < STARTED_MS) return undefined;
  const repair = (reason: string): Finding => ({ finding: 'repair', service, reason });
  if (service.owner !== undefined) return repair(`its rollout ${service.owner} is gone`);
  if (service.rollout.state === 'rolling') return repair('its rollout ended without a word');
  if (service.removing) return repair('its removal is not finished');
  const { rollout } = service;
  const isResumed =
    rollout.state === 'paused' && rollout.until !== undefined && Date.parse(rollout.until) <= now;
  if (isResumed) return repair(`its pause is over: ${rollout.reason}`);
  const input = rollOutOf(service, revision, healthy, 'sweep');
  const { progress } = input;
  const known = {
    replicas: observed,
    coming: [],
    leaving,
    ...(slots && { slots }),
    ...(progress && { progress }),
  };
  const next = nextSteps(desiredOf(input), known, now);
  if (next.kind === 'pause') return undefined;
  if (next.kind === 'finish') {
    const recovered = service.rollout.state === 'failed' && service.revision === service.healthyRevision;
    return next.failure === undefined && recovered ? repair('it is well again') : undefined;
  }
  // Health is asked for by rollouts; the sweep looks at what runs.
  const mayFail = rollout.state === 'paused';
  const [step] = next.steps.filter(({ step }) => step !== 'wait' && (step !== 'give-up' || mayFail));
  return step && repair(step.reason);
}

/** What a container of a service that has no row is: wanted, or left over. Services that are owned are left alone. */
export function strayReplica(
  swept: SweptService | undefined,
  machine: { readonly name: MachineName; readonly address: string },
  container: Container,
): Finding | undefined {
  const said = replicaOf(container);
  const remove = (reason: string): Finding => ({
    finding: 'remove',
    machine: machine.name,
    container,
    reason,
  });
  const carries = container.labels[labels.filesOf];
  if (carries !== undefined)
    return swept?.owned === true ? undefined : remove(`it carried files for ${carries}, which is not there`);
  if (said === undefined) return undefined;
  if (swept === undefined) return remove(`there is no service ${said.service}`);
  const { service, revision, observed, owned } = swept;
  if (owned) return undefined;
  const beside = container.labels[labels.sidecarOf];
  if (beside !== undefined) return remove(`${beside}, which it stood beside, is gone`);
  const { key } = service;
  const { slot, generation, port, gpus } = said;
  if (revision === undefined || templateOf(revision) !== said.revision || !mayHaveSlot(revision.spec, slot))
    return remove('nothing wants it any more');
  if (!container.image.endsWith(`@${revision.digest}`))
    return remove('it has another image than its revision');
  const taken = observed.some((one) => one.slot === slot && one.revision === said.revision);
  if (taken || container.state.state !== 'running') return remove(`slot ${slot} has another replica`);
  if (revision.spec.port !== undefined && port === undefined) return remove('its port is not known');
  const containerAddress = container.addresses?.[networkName(key.environment)];
  const replica: Replica = {
    key,
    revision: said.revision,
    slot,
    generation,
    machine: machine.name,
    address: machine.address,
    ...(port !== undefined && { port }),
    ...(gpus.length > 0 && { gpus: [...gpus] }),
    containerId: container.id,
    ...(containerAddress !== undefined && { containerAddress }),
    failures: 0,
    status: { state: 'running', since: container.state.startedAt },
  };
  return { finding: 'adopt', replica, revision, reason: 'it is wanted and has no record' };
}

/** What a container of a run is whose run is over, or was never recorded. */
export function strayRun(
  run: Run | undefined,
  machine: MachineName,
  container: Container,
): Finding | undefined {
  if (container.labels[labels.run] === undefined) return undefined;
  const going = run !== undefined && run.status.state !== 'succeeded' && run.status.state !== 'failed';
  return going ? undefined : { finding: 'remove', machine, container, reason: 'its run is over' };
}

/** Names of the containers that replicas' rows stand for. */
export const namesOf = (replicas: readonly Replica[]): Set<string> => new Set(replicas.map(containerName));
