import { Terminal } from '../model/errors.ts';
import { type Revision, type Service, serviceId, templateOf } from '../model/service.ts';
import type { Failure } from './observed.ts';
import { BEGUN, type Progress } from './pace.ts';

/** Who asks, and when. */
export interface Asked {
  /** `<source> <id>` of the event. */
  readonly cause: string;
  readonly now: Date;
}

/** What becomes of the service's row; `abort`: why its rollout is taken back. `goesOn`: an orchestration is to carry it. */
export interface Controlled {
  readonly service: Service;
  readonly goesOn: boolean;
  readonly abort?: Failure;
}

/**
 * Whoever carries the rollout has lost the service with this, and so stops at its next step; nobody carries it until it
 * is resumed, which therefore holds over every restart.
 * @throws Terminal 409 `no-rollout`
 */
export function pauseRollout(service: Service, { cause, now }: Asked): Controlled | undefined {
  const { rollout } = service;
  if (rollout.state === 'paused' && rollout.why === 'asked') return undefined;
  if (service.removing || (rollout.state !== 'rolling' && rollout.state !== 'paused'))
    throw noRollout(service);
  const { owner: _, ...rest } = service;
  const at = now.toISOString();
  const reason = `paused by ${cause}`;
  return {
    service: { ...rest, rollout: { state: 'paused', at, why: 'asked', reason, cause } },
    goesOn: false,
  };
}

/** @throws Terminal 409 `not-paused` */
export function resumeRollout(service: Service, { now }: Asked): Controlled {
  const { rollout } = service;
  if (rollout.state !== 'paused')
    throw new Terminal({
      code: 'not-paused',
      status: 409,
      message: `The rollout of ${serviceId(service.key)} is not paused: it is ${rollout.state}.`,
      remedy:
        'Look at it: berth rollout status. One that failed starts anew with `berth restart` or a deployment.',
    });
  const known = progressOf(service);
  const waited = now.getTime() - Date.parse(rollout.at);
  const counts = rollout.why === 'asked' || rollout.until === undefined;
  const paused = (known.paused ?? 0) + (counts ? waited : 0);
  const { stageSince: _, ...unstaged } = known;
  const progress: Progress =
    rollout.why === 'step'
      ? { ...unstaged, stage: known.stage + 1, paused }
      : rollout.why === 'bake'
        ? { ...known, bakeUntil: now.getTime(), paused }
        : { ...known, paused };
  const revision = service.revision ?? 1;
  return {
    service: { ...service, rollout: { state: 'rolling' }, progress: { revision, ...progress } },
    goesOn: true,
  };
}

/**
 * @param healthy the newest revision that was healthy
 * @throws Terminal 409 `no-rollout`
 */
export function abortRollout(service: Service, healthy: Revision | undefined, { cause }: Asked): Controlled {
  const { rollout, accepted, removing } = service;
  const goes = rollout.state === 'rolling' || rollout.state === 'paused';
  const stands = rollout.state === 'failed' && rollout.stopped === true;
  const same = accepted && healthy && templateOf(accepted) === templateOf(healthy);
  if (removing || accepted === undefined || same === true || !(goes || stands)) throw noRollout(service);
  return {
    service: { ...service, rollout: { state: 'rolling' } },
    goesOn: true,
    abort: { code: 'aborted', reason: `it was aborted by ${cause}` },
  };
}

const progressOf = ({ progress, revision }: Service): Progress =>
  progress !== undefined && progress.revision === revision ? progress : BEGUN;

const noRollout = ({ key, rollout, removing }: Service): Terminal =>
  new Terminal({
    code: 'no-rollout',
    status: 409,
    message: `No rollout of ${serviceId(key)} is under way: ${removing ? 'it is being removed' : `the last one is ${rollout.state}`}.`,
    remedy: 'Look at it: berth rollout status. To go back to an earlier revision: berth rollout undo.',
  });
