import { ProvisionMachine } from '../../../shared/machines/provisioning.ts';
import {
  afterBefore,
  afterCheck,
  afterDependencies,
  afterGivingUp,
  afterMachine,
  afterNote,
  afterPromotion,
  afterStart,
  afterStop,
  afterSwitch,
} from '../../../shared/workloads/apply.ts';
import { failuresAfter } from '../../../shared/workloads/back-off.ts';
import { type Desired, nextSteps } from '../../../shared/workloads/next-steps.ts';
import { type Failure, isLive, type Observed, sameReplica } from '../../../shared/workloads/observed.ts';
import { BEGUN } from '../../../shared/workloads/pace.ts';
import type { Step } from '../../../shared/workloads/steps.ts';

/** How containers of the new revision behave, and how much room there is. */
export interface World {
  readonly behaviour: 'healthy' | 'exits' | 'never-healthy' | 'slow' | 'exits-from-slot-2';
  /** Live containers that all machines together hold. */
  readonly room: number;
  /** What happens beside the plan, one entry a round; then nothing more. */
  readonly troubles: readonly Trouble[];
}
export type Trouble = 'none' | 'exit' | 'lose' | 'unreachable' | 'machine-coming' | 'machine-fails';

export interface Round {
  readonly before: Observed;
  readonly steps: readonly Step[];
  readonly after: Observed;
}
export interface Outcome {
  readonly rounds: readonly Round[];
  readonly end: Observed;
  readonly failure: Failure | undefined;
  readonly finished: boolean;
}

/** Runs a rollout as the orchestrator does, against a world in memory. Troubles hit only replicas of the new revision. */
export function simulate(desired: Desired, start: Observed, world: World, mostRounds = 400): Outcome {
  const rounds: Round[] = [];
  let observed = start;
  let now = 1_000_000_000;
  for (let round = 0; round < mostRounds; round += 1) {
    const trouble = world.troubles[round] ?? 'none';
    observed = suffer(desired, observed, trouble, now);
    const next = nextSteps(desired, observed, now);
    if (next.kind === 'finish') return { rounds, end: observed, failure: next.failure, finished: true };
    if (next.kind === 'pause') {
      const { until } = next.pause;
      if (desired.hold !== undefined) return { rounds, end: observed, failure: undefined, finished: true };
      // Somebody resumes it, or the sweep does.
      const { progress = BEGUN } = observed;
      if (until !== undefined) now = Math.max(now + 1000, until);
      else observed = afterNote(observed, { ...progress, stage: progress.stage + 1, stageSince: undefined });
      continue;
    }
    const before = observed;
    for (const step of next.steps) observed = perform(desired, observed, step, world, trouble, now);
    rounds.push({ before, steps: next.steps, after: observed });
    const wait = next.steps.find(({ step }) => step === 'wait');
    now = wait?.step === 'wait' ? Math.max(now + 1000, wait.until) : now + 1000;
  }
  return { rounds, end: observed, failure: undefined, finished: false };
}

export const requestOf = (machine: string): ProvisionMachine =>
  ProvisionMachine.parse({ pool: 'default', spec: {}, machine, cause: 'api 1' });

function suffer(desired: Desired, observed: Observed, trouble: Trouble, now: number): Observed {
  const victim = observed.replicas.find(
    ({ revision, state }) => revision === desired.revision && state.phase === 'healthy',
  );
  if (victim?.state.phase !== 'healthy' || (trouble !== 'exit' && trouble !== 'lose')) return observed;
  if (trouble === 'exit') {
    const failures = failuresAfter(victim.failures, victim.state.since, now);
    const state = { phase: 'exited', at: now, exitCode: 1, lastLines: [], wasHealthy: true } as const;
    return afterCheck(observed, victim, { outcome: 'observed', state, failures });
  }
  return afterCheck(observed, victim, {
    outcome: 'observed',
    state: { phase: 'lost' },
    failures: victim.failures,
  });
}

function perform(
  desired: Desired,
  observed: Observed,
  step: Step,
  world: World,
  trouble: Trouble,
  now: number,
): Observed {
  switch (step.step) {
    case 'start-replica': {
      const replaced = observed.replicas.filter((r) => !(step.replaces && sameReplica(r, step.replaces)));
      const others = replaced.filter((r) => isLive(r) && !sameReplica(r, step)).length;
      if (others >= world.room)
        return afterStart(observed, step, { outcome: 'no-room', reason: 'full', at: now });
      if (trouble === 'unreachable')
        return afterStart(observed, step, { outcome: 'unreachable', machine: 'm', reason: 'x', at: now });
      if (trouble === 'machine-coming' || trouble === 'machine-fails')
        return afterStart(observed, step, {
          outcome: 'machine-coming',
          machine: `m${now}`,
          ...(now % 2000 === 0 && { provision: requestOf(`m${now}`) }),
        });
      return afterStart(observed, step, { outcome: 'started', machine: 'm', at: now });
    }
    case 'check-replica': {
      const replica = observed.replicas.find((one) => sameReplica(one, step));
      const since = replica?.state.phase === 'running' ? replica.state.since : now;
      const failures = replica?.failures ?? 0;
      const later = world.behaviour === 'exits-from-slot-2';
      const own = later ? (step.slot < 2 ? 'healthy' : 'exits') : world.behaviour;
      const good = step.revision !== desired.revision ? 'healthy' : own;
      if (good === 'exits')
        return afterCheck(observed, step, {
          outcome: 'observed',
          state: { phase: 'exited', at: now, exitCode: 3, lastLines: ['boom'], wasHealthy: false },
          failures: failures + 1,
        });
      const healthy = good === 'healthy' || (good === 'slow' && now - since >= 3000);
      const standby = step.standby === true ? { standby: true } : {};
      return afterCheck(observed, step, {
        outcome: 'observed',
        state: healthy
          ? { phase: 'healthy', since: now, ...standby }
          : { phase: 'unhealthy', since: now, reason: '503' },
        failures,
      });
    }
    case 'stop-replica':
      return afterStop(observed, step, { outcome: 'stopped' });
    case 'provision-machine':
    case 'await-machine':
      return afterMachine(
        observed,
        step.machine,
        trouble === 'machine-fails'
          ? { outcome: 'failed', failure: { code: 'quota', reason: 'no quota' } }
          : { outcome: 'ready' },
      );
    case 'give-up':
      return afterGivingUp(observed, step.failure);
    case 'promote':
      return afterPromotion(observed);
    case 'switch-replicas':
      return afterSwitch(observed, step);
    case 'note-progress':
      return afterNote(observed, step.progress);
    case 'await-dependencies':
      return afterDependencies(observed, { outcome: 'healthy' });
    case 'await-before':
      return afterBefore(observed, { outcome: 'succeeded' });
    case 'wait':
      return observed;
  }
}
