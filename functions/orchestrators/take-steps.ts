import type { OrchestrationContext, Task } from 'durable-functions';
import type { Provisioned } from '../../shared/machines/provisioning.ts';
import { provisioningId, provisionMachine } from '../../shared/machines/provisioning.ts';
import { later } from '../../shared/machines/waiting.ts';
import { MachineName } from '../../shared/model/names.ts';
import { type Revision, templateOf } from '../../shared/model/service.ts';
import type { Outcome, Signature } from '../../shared/model/signature.ts';
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
} from '../../shared/workloads/apply.ts';
import type { Observed } from '../../shared/workloads/observed.ts';
import type { MachineOutcome } from '../../shared/workloads/outcomes.ts';
import {
  awaitBefore,
  awaitDependencies,
  awaitMachine,
  checkReplica,
  noteProgress,
  startReplica,
  stopReplica,
  switchReplicas,
} from '../../shared/workloads/replica-activities.ts';
import type { RollOut } from '../../shared/workloads/roll-out.ts';
import type { Step } from '../../shared/workloads/steps.ts';
import { activityTask } from './call-activity.ts';

/** A step under way, and what its result makes of what is known; undefined if the service is no longer ours. */
interface UnderWay {
  readonly task: Task;
  apply(observed: Observed, result: unknown): Observed | undefined;
}

/**
 * Takes steps side by side and tells what is known after them; undefined if the service is no longer this
 * orchestration's.
 */
export function* takeSteps(
  context: OrchestrationContext,
  input: RollOut,
  observed: Observed,
  steps: readonly Step[],
): Generator<Task, Observed | undefined, unknown> {
  let known: Observed | undefined = observed;
  const going: UnderWay[] = [];
  for (const step of steps)
    if (step.step === 'give-up') known = afterGivingUp(known, step.failure);
    else if (step.step === 'promote') known = afterPromotion(known);
    else going.push(begin(context, input, step));
  if (going.length === 0) return known;
  const results = (yield context.df.Task.all(going.map(({ task }) => task))) as readonly unknown[];
  for (const [index, { apply }] of going.entries()) {
    known = apply(known, results[index]);
    if (known === undefined) return undefined;
  }
  return known;
}

function begin(
  context: OrchestrationContext,
  input: RollOut,
  step: Exclude<Step, { step: 'give-up' | 'promote' }>,
): UnderWay {
  const { key, revision, cause } = input;
  const owner = context.df.instanceId;
  const now = context.df.currentUtcDateTime;
  switch (step.step) {
    case 'start-replica': {
      const { slot, generation, failures, replaces, avoid } = step;
      const task = activityTask(context, startReplica, {
        key,
        owner,
        revision: revisionOf(input, step.revision),
        slot,
        generation,
        failures,
        ...(replaces && { replaces }),
        avoid: [...avoid],
        cause,
      });
      return underWay(task, startReplica, (known, outcome) => afterStart(known, step, outcome));
    }
    case 'check-replica': {
      const { slot, generation } = step;
      const replica = { revision: step.revision, slot, generation };
      const { spec } = revisionOf(input, step.revision);
      const { standby } = step;
      const task = activityTask(context, checkReplica, {
        key,
        owner,
        replica,
        spec,
        ...(standby && { standby }),
      });
      return underWay(task, checkReplica, (known, outcome) => afterCheck(known, step, outcome));
    }
    case 'stop-replica': {
      const { slot, generation } = step;
      const replica = { revision: step.revision, slot, generation };
      const task = activityTask(context, stopReplica, { key, owner, replica });
      return underWay(task, stopReplica, (known, outcome) => afterStop(known, step, outcome));
    }
    case 'await-machine': {
      const machine = MachineName.parse(step.machine);
      const task = activityTask(context, awaitMachine, { pool: revision.spec.pool, machine });
      return underWay(task, awaitMachine, (known, outcome) => afterMachine(known, step.machine, outcome));
    }
    case 'provision-machine': {
      const { request } = step;
      const task = context.df.callSubOrchestrator(
        provisionMachine.name,
        request,
        provisioningId(request.machine),
      );
      return {
        task,
        apply: (known, result) => afterMachine(known, step.machine, machineOutcome(result as Provisioned)),
      };
    }
    case 'switch-replicas': {
      const { serve, rest } = step;
      const task = activityTask(context, switchReplicas, { key, owner, serve: [...serve], rest: [...rest] });
      return underWay(task, switchReplicas, (known) => afterSwitch(known, step));
    }
    case 'note-progress': {
      const { progress } = step;
      const task = activityTask(context, noteProgress, { key, owner, revision: revision.number, progress });
      return underWay(task, noteProgress, (known) => afterNote(known, progress));
    }
    case 'await-dependencies': {
      const dependsOn = revision.spec.dependsOn ?? [];
      const task = activityTask(context, awaitDependencies, { key, owner, dependsOn });
      return underWay(task, awaitDependencies, afterDependencies);
    }
    case 'await-before': {
      const task = activityTask(context, awaitBefore, { key, owner, revision });
      return underWay(task, awaitBefore, afterBefore);
    }
    case 'wait':
      return {
        task: context.df.createTimer(later(now, step.until - now.getTime())),
        apply: (known) => known,
      };
  }
}

/** A rollout that rests looks after the revision that serves too. */
const revisionOf = ({ revision, previous }: RollOut, number: number): Revision =>
  previous !== undefined && templateOf(previous) === number ? previous : revision;

const machineOutcome = (made: Provisioned): MachineOutcome =>
  made.status === 'ready'
    ? { outcome: 'ready' }
    : { outcome: 'failed', failure: { code: made.code, reason: made.reason } };

/** A refusal of the activity itself is an error of ours: expected ones are outcomes. */
function underWay<I, O extends { readonly outcome: string }>(
  task: Task,
  signature: Signature<I, O>,
  apply: (known: Observed, outcome: Exclude<O, { outcome: 'superseded' }>) => Observed,
): UnderWay {
  return {
    task,
    apply(known, result) {
      const outcome = result as Outcome<O>;
      if (outcome.outcome === 'refused')
        throw new Error(`${signature.name}: ${outcome.code}: ${outcome.message}`);
      const { value } = outcome;
      return isOurs(value) ? apply(known, value) : undefined;
    },
  };
}

const isOurs = <O extends { readonly outcome: string }>(
  value: O,
): value is Exclude<O, { outcome: 'superseded' }> => value.outcome !== 'superseded';
