import type { OrchestrationContext, Task } from 'durable-functions';
import type { Provisioned } from '../../shared/machines/provisioning.ts';
import { provisioningId, provisionMachine } from '../../shared/machines/provisioning.ts';
import { later } from '../../shared/machines/waiting.ts';
import { MachineName } from '../../shared/model/names.ts';
import type { Outcome, Signature } from '../../shared/model/signature.ts';
import {
  afterCheck,
  afterGivingUp,
  afterMachine,
  afterPromotion,
  afterStart,
  afterStop,
} from '../../shared/workloads/apply.ts';
import type { Observed } from '../../shared/workloads/observed.ts';
import type { MachineOutcome } from '../../shared/workloads/outcomes.ts';
import {
  awaitMachine,
  checkReplica,
  startReplica,
  stopReplica,
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
  { key, revision, cause }: RollOut,
  step: Exclude<Step, { step: 'give-up' | 'promote' }>,
): UnderWay {
  const owner = context.df.instanceId;
  const now = context.df.currentUtcDateTime;
  switch (step.step) {
    case 'start-replica': {
      const { slot, generation, failures, replaces, avoid } = step;
      const task = activityTask(context, startReplica, {
        key,
        owner,
        revision,
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
      const task = activityTask(context, checkReplica, { key, owner, replica, spec: revision.spec });
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
    case 'wait':
      return {
        task: context.df.createTimer(later(now, step.until - now.getTime())),
        apply: (known) => known,
      };
  }
}

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
