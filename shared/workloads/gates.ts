import type { Plan } from './plan.ts';
import type { Next } from './steps.ts';

/** Milliseconds that a service waits for those that it depends on, where its rollout has no deadline. */
const DEPENDENCIES_MS = 600_000;

/** What has to happen before the first new replica starts; undefined if nothing has to, or all did. */
export function gateOf(plan: Plan): Next | undefined {
  const { desired, observed, proven, roles, now } = plan;
  const { gates = {} } = observed;
  const starts = desired.count > 0 && roles.current.size === 0;
  if (proven || desired.hold !== undefined || !starts) return undefined;
  const { dependsOn = [] } = desired;
  if (dependsOn.length > 0 && gates.dependencies !== true) {
    const { dependencies } = gates;
    const reason = dependencies?.reason ?? `it depends on ${dependsOn.join(', ')}`;
    const since = dependencies?.since ?? now;
    const until = desired.until ?? since + DEPENDENCIES_MS;
    if (now >= until)
      return {
        kind: 'steps',
        steps: [{ step: 'give-up', failure: { code: 'dependency-not-healthy', reason }, reason }],
      };
    return { kind: 'steps', steps: [{ step: 'await-dependencies', reason }] };
  }
  if (desired.before === true && gates.before !== true)
    return {
      kind: 'steps',
      steps: [{ step: 'await-before', reason: 'its step before the rollout comes first' }],
    };
  return undefined;
}
