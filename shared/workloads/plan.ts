import type { Desired } from './next-steps.ts';
import {
  type Failure,
  isLive,
  type Moment,
  type Observed,
  type ObservedReplica,
  sameReplica,
} from './observed.ts';
import { BEGUN, type Pace, type Progress, paceOf } from './pace.ts';
import { isHealthy, type Roles, rolesOf, slotsOf } from './roles.ts';
import { idOf, needOf, type Situation } from './slot-needs.ts';
import type { Step, StepOf } from './steps.ts';

/** What the slots of the new revision need. */
interface Needs {
  readonly steps: Step[];
  readonly stuck: readonly Failure[];
  /** Slots that are served. */
  readonly healthy: number;
  /** Slots that others are in the way of: of the limit, or of room. */
  readonly blocked: number;
  readonly waitsForRoom: boolean;
}

/** A rollout as it stands: what every question about its next steps looks at. */
export class Plan {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly now: Moment;
  readonly proven: boolean;
  readonly pace: Pace;
  readonly progress: Progress;
  /** Slots that may be of the new revision by now. */
  readonly target: number;
  readonly roles: Roles;

  constructor(wanted: Desired, observed: Observed, now: Moment) {
    const desired = counted(wanted, observed.slots?.length);
    this.desired = desired;
    this.observed = observed;
    this.now = now;
    this.proven = desired.proven || observed.promoted === true;
    this.progress = observed.progress ?? BEGUN;
    const serving = desired.serving && (this.progress.served ?? desired.serving.count);
    this.pace = paceOf(desired.policy, desired.count, serving);
    const stage =
      this.proven || desired.serving === undefined ? undefined : this.pace.stages[this.progress.stage];
    this.target = stage?.count ?? desired.count;
    this.roles = rolesOf(desired, observed);
  }

  /** The canary's step that the rollout is in. */
  get inStage(): boolean {
    return (
      !this.proven && this.desired.serving !== undefined && this.progress.stage < this.pace.stages.length
    );
  }

  /** Containers that may be made before some others have gone. A move off a drained machine is beside the limit. */
  get room(): number {
    const { moving } = this.roles;
    return (
      this.pace.limit - this.observed.replicas.filter((one) => isLive(one) && !moving.includes(one)).length
    );
  }

  get situation(): Situation {
    const { desired, observed, now, proven, pace } = this;
    return {
      desired,
      observed,
      now,
      proven: proven || desired.hold !== undefined,
      failures: [...this.roles.current.values()].reduce((sum, { failures }) => sum + failures, 0),
      mostFailures: pace.mostFailures,
      bakes: this.progress.bakeUntil !== undefined,
    };
  }

  needs(): Needs {
    const { desired, situation, target } = this;
    const { current } = this.roles;
    const steps: Step[] = [];
    const stuck: Failure[] = [];
    let [healthy, blocked, lacking, room] = [0, 0, 0, this.room];
    for (const [at, slot] of slotsOf(desired, this.observed).entries()) {
      const replica = current.get(slot);
      if (replica === undefined && (at >= target || desired.hold !== undefined)) continue;
      const served = this.#isServed(slot);
      if (served) healthy += 1;
      if (desired.hold === 'stopped') continue;
      const need = needOf(situation, slot, replica);
      if (need === 'healthy') continue;
      if (need === 'ended') healthy += served ? 0 : 1;
      else if (need === 'nothing') lacking += 1;
      else if ('stuck' in need) stuck.push(need.stuck);
      else if (need.step.step === 'start-replica' && this.#isMore(need.step)) {
        if (room > 0) steps.push(need.step);
        else blocked += 1;
        room -= 1;
      } else steps.push(this.#inTurn(need.step));
    }
    return { steps, stuck, healthy, blocked: blocked + lacking, waitsForRoom: lacking > 0 };
  }

  /** A start takes room unless it is tried again, or is instead of one that holds a container. */
  #isMore(step: StepOf<'start-replica'>): boolean {
    const { replicas } = this.observed;
    const replaced = step.replaces;
    const instead = replicas.find((one) => replaced !== undefined && sameReplica(one, replaced));
    if (instead !== undefined && isLive(instead)) return false;
    // A move: the one that is drained goes on until then.
    if (instead === undefined && this.roles.current.has(step.slot)) return false;
    return !replicas.some((one) => sameReplica(one, step));
  }

  /** All at once is their turn, when the last one is healthy. */
  #inTurn(step: Step): Step {
    const waits = step.step === 'check-replica' && this.isBeforeSwitch;
    return waits ? { ...step, standby: true } : step;
  }

  /** Old ones serve, and none of the new ones shall before all can. */
  get isBeforeSwitch(): boolean {
    const { strategy } = this.pace;
    if (strategy !== 'blue-green' || this.proven || this.progress.bakeUntil !== undefined) return false;
    return this.roles.old.some((one) => isHealthy(one) && !isStandby(one));
  }

  #isServed(slot: number): boolean {
    const current = this.roles.current.get(slot);
    if (current !== undefined && isHealthy(current)) return true;
    return this.roles.moving.some((replica) => replica.slot === slot && isHealthy(replica));
  }

  /** Nothing new is started now: somebody lets it pause, or its step does. */
  isAtRest(healthy: number): boolean {
    return this.desired.hold !== undefined || (this.inStage && healthy >= this.target);
  }

  stop(replica: ObservedReplica, reason: string): Step {
    return { step: 'stop-replica', ...idOf(replica), reason };
  }
}

/** Of a service that runs once on each machine as many are wanted as there are machines. */
const counted = (wanted: Desired, count: number | undefined): Desired =>
  count === undefined
    ? wanted
    : { ...wanted, count, ...(wanted.serving && { serving: { ...wanted.serving, count } }) };

export const isStandby = ({ state }: ObservedReplica): boolean =>
  state.phase === 'healthy' && state.standby === true;
