import { isLive } from './observed.ts';
import type { Plan } from './plan.ts';
import { isHealthy, slotsOf } from './roles.ts';
import { needOf, start } from './slot-needs.ts';
import type { Step } from './steps.ts';

/**
 * What the revision that serves needs while the rollout rests: those that died since are made anew, so that as many serve
 * as are wanted. Until then a rollout leaves them alone, since it replaces them anyway.
 */
export function tendOld(plan: Plan, begun: readonly Step[]): Step[] {
  const { desired, observed, roles, now } = plan;
  const { serving } = desired;
  if (serving === undefined) return [];
  const old = { ...desired, revision: serving.revision, count: serving.count, proven: true };
  const situation = { ...plan.situation, desired: old, proven: true };
  const steps: Step[] = [];
  const own = observed.replicas.filter((one) => one.revision === serving.revision && isLive(one));
  for (const replica of own) {
    const need = isHealthy(replica) ? 'healthy' : needOf(situation, replica.slot, replica);
    if (typeof need === 'object' && 'step' in need && !begins(begun, need.step)) steps.push(need.step);
  }
  const live = own.length + roles.current.size + roles.surplus.length;
  const wanted = Math.min(desired.count, serving.count);
  let missing = Math.min(wanted - live, plan.room);
  const short = observed.shortage !== undefined && now < observed.shortage.retryAt;
  const taken = (slot: number) =>
    [...begun, ...steps].some((one) => one.step === 'start-replica' && one.slot === slot);
  const reason = `a replica of revision ${serving.revision}, which serves, is missing`;
  for (const slot of slotsOf(serving, observed)) {
    if (missing <= 0 || short) break;
    // A slot gives out one generation at a time.
    if (own.some((one) => one.slot === slot) || taken(slot)) continue;
    steps.push(start(situation, slot, 0, undefined, reason));
    missing -= 1;
  }
  return steps;
}

const begins = (begun: readonly Step[], step: Step): boolean =>
  step.step === 'start-replica' &&
  begun.some((one) => one.step === 'start-replica' && one.slot === step.slot);
