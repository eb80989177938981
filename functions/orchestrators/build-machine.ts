import type { OrchestrationContext, Task } from 'durable-functions';
import type { LaunchStep } from '../../shared/machines/launch-failure.ts';
import {
  createNic,
  createPublicIp,
  createSecurityGroup,
  createVirtualMachine,
  ensureNetwork,
} from '../../shared/machines/machine-activities.ts';
import { busyPause, later } from '../../shared/machines/waiting.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { callActivity } from './call-activity.ts';
import { settle, type Unsettled } from './settle.ts';

/** Which step failed, and why. */
export interface Unbuilt {
  readonly step: LaunchStep;
  readonly refusal: Unsettled;
}

/**
 * Network, NIC, VM, each done before the next; of a machine made by hand also what admits its user.
 * @param deadline milliseconds since 1970
 * @returns undefined when all are there
 */
export function* build(
  context: OrchestrationContext,
  { name: machine, attempt, resources, hand }: Machine,
  deadline: number,
): Generator<Task, Unbuilt | undefined, unknown> {
  const ours = { machine, attempt };
  const steps = [
    ...(hand?.subnet === undefined
      ? [{ step: 'network', begin: () => callActivity(context, ensureNetwork, {}) } as const]
      : []),
    ...(resources.securityGroup === undefined
      ? []
      : [{ step: 'security-group', begin: () => callActivity(context, createSecurityGroup, ours) } as const]),
    ...(resources.publicIp === undefined
      ? []
      : [{ step: 'public-ip', begin: () => callActivity(context, createPublicIp, ours) } as const]),
    { step: 'nic', begin: () => callActivity(context, createNic, ours) } as const,
    { step: 'vm', begin: () => callActivity(context, createVirtualMachine, ours) } as const,
  ];
  for (const { step, begin } of steps) {
    context.df.setCustomStatus(step);
    for (let tries = 1; ; tries += 1) {
      const refusal = yield* settle(context, yield* begin(), deadline);
      if (refusal === undefined) break;
      const next = later(context.df.currentUtcDateTime, busyPause(tries));
      // A VM that ARM refused may be there, and failed: asked for again under its name it would only say so again.
      const isAgain = refusal.answer === 'again' && (step !== 'vm' || refusal.by === 'unanswered');
      if (!isAgain || next.getTime() > deadline) return { step, refusal };
      yield context.df.createTimer(next);
    }
  }
  return undefined;
}
