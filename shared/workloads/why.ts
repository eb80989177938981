import type { Machine } from '../model/machine.ts';
import {
  containerName,
  type Replica,
  type Revision,
  type Service,
  serviceId,
  templateOf,
} from '../model/service.ts';
import type { Reason, ReplicaReasons, WhyService } from '../model/why.ts';
import { explainNoRoom, explainPlace, type Sight } from '../scheduling/explain.ts';
import { pauseAfter } from './back-off.ts';
import { demandAt, replicaDemand } from './demand-of.ts';
import { machineSlots } from './machine-slots.ts';
import type { Home } from './volumes.ts';

/** What there is to know of a service. */
export interface Known {
  readonly service: Service;
  /** What shall run; absent until its image was accepted. */
  readonly revision: Revision | undefined;
  readonly replicas: readonly Replica[];
  /** Its pool; absent with the revision. */
  readonly sight: Sight | undefined;
  /** Where slots have to be, since their volumes are there. */
  readonly homes?: ReadonlyMap<number, Home> | undefined;
  readonly now: Date;
}

/** Why a service and each of its replicas is as it is, in words. Pure. */
export function whyService(known: Known): WhyService {
  const { service, revision, replicas, sight } = known;
  const template = revision && templateOf(revision);
  const own = replicas.filter((one) => one.revision === template);
  const slots = slotsOf(known, own);
  const seen =
    revision === undefined || sight === undefined ? [] : slots.map((slot) => whySlot(slot, own, known));
  return {
    key: service.key,
    wanted: service.removing ? 0 : slots.length,
    healthy: own.filter(({ status }) => status.state === 'healthy').length,
    reasons: reasonsOf(known, slots.length),
    replicas: seen,
  };
}

function slotsOf({ service, revision, sight }: Known, own: readonly Replica[]): readonly number[] {
  const spec = revision?.spec ?? service.spec;
  const followed = machineSlots(spec, sight?.machines ?? [], own);
  return followed ?? Array.from({ length: spec.replicas }, (_, slot) => slot);
}

const reason = (code: string, message: string, wouldHelp: readonly string[] = []): Reason => ({
  code,
  message,
  wouldHelp: [...wouldHelp],
});

function reasonsOf({ service, revision, sight }: Known, wanted: number): Reason[] {
  const { rollout, refused, spec, removing, healthyRevision } = service;
  const found: Reason[] = [];
  if (removing)
    found.push(reason('removing', 'Its application no longer names it: its replicas are being stopped.'));
  if (refused !== undefined)
    found.push(
      reason('image-refused', `Its image ${spec.image} is refused: ${refused.reasons.join(' ')}`, [
        'a signature that the policy of its repository asks for',
      ]),
    );
  if (rollout.state === 'waiting-for-image' && refused === undefined)
    found.push(
      reason(
        'image-not-pushed',
        `Its image ${spec.image} is not in the registry${revision ? ': what ran before runs on' : ''}.`,
        [`the push of ${spec.image}: it rolls out by itself`],
      ),
    );
  if (rollout.state === 'rolling' && rollout.waits !== undefined)
    found.push(reason('rollout-waits', `Its rollout waits: ${rollout.waits}.`));
  if (rollout.state === 'paused')
    found.push(
      reason(
        'rollout-paused',
        `Its rollout is paused since ${rollout.at}: ${rollout.reason}${rollout.until === undefined ? '' : ` (until ${rollout.until})`}.`,
        [`berth rollout resume ${service.key.application}/${service.key.service}`],
      ),
    );
  if (rollout.state === 'failed') {
    const serves =
      healthyRevision === undefined
        ? 'None was healthy before.'
        : `Revision ${healthyRevision}, which was healthy, runs.`;
    found.push({
      ...reason(
        rollout.code,
        `The rollout of revision ${service.revision} failed: ${rollout.reason}. ${serves}`,
      ),
      ...(rollout.exitCode !== undefined && { exitCode: rollout.exitCode }),
      ...(rollout.lastLines !== undefined && { lastLines: rollout.lastLines }),
    });
  }
  if (wanted === 0 && !removing && revision !== undefined)
    found.push(
      spec.mode === 'one-per-machine'
        ? reason('no-machines', `No machine of pool ${spec.pool} is ready and fulfils its constraints.`)
        : reason('scaled-to-zero', 'No replicas are wanted.', [`berth scale ${service.key.service} 1`]),
    );
  const resting = sight?.addition.resting(0);
  if (resting !== undefined)
    found.push(
      reason('pool-rests', `Pool ${sight?.pool} gets no machines now: ${resting}.`, [
        `berth pools reset ${sight?.pool}, once its cause is mended`,
      ]),
    );
  return found;
}

function whySlot(slot: number, own: readonly Replica[], known: Known): ReplicaReasons {
  const [replica] = own.filter((one) => one.slot === slot).sort((a, b) => b.generation - a.generation);
  if (replica === undefined) return { slot, state: 'missing', reasons: [whyMissing(slot, known)] };
  const { machine, generation, status } = replica;
  return {
    slot,
    replica: `${slot}.g${generation}`,
    machine,
    state: status.state,
    reasons: [...whyState(replica, known), ...whyThere(replica, known)],
  };
}

function whyMissing(slot: number, { service, revision, sight, homes }: Known): Reason {
  if (revision === undefined || sight === undefined)
    return reason('not-started', 'Nothing of it was started yet.');
  const home: Home = homes?.get(slot) ?? { home: 'anywhere' };
  if (home.home === 'nowhere') return reason('volume-elsewhere', `${home.why}.`);
  const demand = demandAt(home, replicaDemand(service.key, revision.spec, templateOf(revision)));
  const explained = explainNoRoom(demand, serviceId(service.key), sight);
  if (explained !== undefined) {
    const pinned = home.home === 'there' ? `${home.why}: ` : '';
    return reason('no-room', `${pinned}${explained.message}`, explained.wouldFit);
  }
  return service.rollout.state === 'rolling'
    ? reason('starting', 'There is room for it: its rollout has not come to it yet.')
    : reason(
        'not-started',
        'There is room for it, and nothing starts it now: the sweep does within a minute.',
      );
}

function whyState({ status, failures, machine: name }: Replica, { sight, now }: Known): Reason[] {
  switch (status.state) {
    case 'healthy':
      return [];
    case 'standby':
      return [reason('standby', 'It is healthy, and gets no requests yet: its rollout has others serve.')];
    case 'running':
      return [reason('starting', `It runs since ${status.since}, and its health is not known yet.`)];
    case 'unhealthy':
      return [
        reason('health-check-failed', `It runs, and is not healthy since ${status.since}: ${status.reason}.`),
      ];
    case 'exited': {
      const at = Date.parse(status.at) + pauseAfter(failures);
      const next =
        at > now.getTime() ? `the next try is at ${new Date(at).toISOString()}` : 'it is tried again';
      const often = failures > 1 ? `, ${failures} times early one after another` : '';
      return [
        {
          ...reason(
            failures > 1 ? 'crash-looping' : 'container-exited',
            `Its container ended with exit code ${status.exitCode} at ${status.at}${often}; ${next}.`,
          ),
          exitCode: status.exitCode,
          lastLines: status.lastLines,
        },
      ];
    }
    case 'lost':
      return [reason('machine-lost', `Its machine ${name} is gone or silent: it is started elsewhere.`)];
    case 'reserved':
      return [
        whyReserved(
          name,
          sight?.machines.find((one) => one.name === name),
        ),
      ];
  }
}

function whyReserved(name: string, machine: Machine | undefined): Reason {
  const state = machine?.status.state ?? 'provisioning';
  if (machine?.status.state === 'failed')
    return reason(
      'machine-failed',
      `Machine ${name}, on which it was to be, failed: ${machine.status.reason}`,
    );
  if (state === 'provisioning' || state === 'booting')
    return reason('machine-coming', `It waits for machine ${name}, which is on its way (${state}).`);
  return reason(
    'starting',
    `Room is reserved for it on ${name}: its image is being pulled, or the engine does not answer.`,
  );
}

function whyThere(replica: Replica, { service, revision, sight }: Known): Reason[] {
  const one = sight?.reservations.find(({ reservation }) => reservation === containerName(replica));
  if (one === undefined || revision === undefined || sight === undefined) return [];
  const demand = replicaDemand(service.key, revision.spec, templateOf(revision));
  return [reason('placed', explainPlace(demand, one, sight, replica.status.state !== 'reserved').message)];
}
