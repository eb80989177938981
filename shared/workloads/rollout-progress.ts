import type { RolloutView } from '../model/rollout-view.ts';
import { type Replica, type Service, templateOf } from '../model/service.ts';

/** Undefined where none is under way. */
export function rolloutView(service: Service, replicas: readonly Replica[]): RolloutView | undefined {
  const { accepted, rollout, progress } = service;
  const stands = rollout.state === 'failed' && rollout.stopped === true;
  if (accepted === undefined || !(rollout.state === 'rolling' || rollout.state === 'paused' || stands))
    return undefined;
  const { spec } = accepted;
  const template = templateOf(accepted);
  const healthy = replicas.filter(({ status }) => status.state === 'healthy' || status.state === 'standby');
  const own = healthy.filter(({ revision, slot }) => revision === template && slot < spec.replicas).length;
  const steps = spec.rollout?.steps ?? [];
  const stage = progress?.revision === accepted.number ? progress.stage : 0;
  const step = steps[stage];
  return {
    strategy: spec.rollout?.strategy ?? 'rolling',
    healthy: own,
    wanted: spec.replicas,
    others: healthy.length - own,
    ...(step &&
      service.healthyRevision !== undefined && {
        step: { number: stage + 1, of: steps.length, percent: step.percent },
      }),
    waits: waitsOf(service, own),
  };
}

function waitsOf({ rollout, accepted }: Service, own: number): string {
  if (rollout.state === 'paused') return rollout.reason;
  if (rollout.state === 'failed') return `it failed and stands still: ${rollout.reason}`;
  if (rollout.state === 'rolling' && rollout.waits !== undefined) return rollout.waits;
  const wanted = accepted?.spec.replicas ?? 0;
  return own < wanted ? `${own} of ${wanted} new replicas are healthy` : 'the old replicas end';
}
