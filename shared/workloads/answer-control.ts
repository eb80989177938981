import type { Command } from '../model/command.ts';
import { type Revision, type Service, serviceId } from '../model/service.ts';
import { Conflict } from '../state/tables.ts';
import type { Answering, Cause, Start } from './answer.ts';
import { serviceUnknown } from './answer-scale.ts';
import { abortRollout, type Controlled, pauseRollout, resumeRollout } from './control-rollout.ts';
import { rollOut, rollOutOf } from './roll-out.ts';
import { all, placeOf } from './stores.ts';

type Control = Extract<Command, { type: 'pause-rollout' | 'resume-rollout' | 'abort-rollout' }>;

const MOST_ATTEMPTS = 20;

/**
 * Somebody lets a rollout pause, go on or end. What is asked for is in the service's row when this returns; whoever
 * carried the rollout before has lost it.
 * @throws Terminal 404 `service-unknown`, 409 `no-rollout`, `not-paused`
 */
export async function answerControl(
  { stores, now }: Answering,
  cause: Cause,
  { type, environment, application, service: name }: Control,
): Promise<readonly Start[]> {
  const key = { environment, application, service: name };
  const asked = { cause: cause.text, now };
  for (let attempt = 1; ; attempt += 1) {
    const [stored, revisions] = await Promise.all([
      stores.services.get(...placeOf.service(key)),
      all(stores.revisions.list({ partition: serviceId(key) })),
    ]);
    if (stored === undefined) throw serviceUnknown(key);
    const service = stored.value;
    const healthy = revisions.find(({ number }) => number === service.healthyRevision);
    // The event was answered before, and what carries it out may not have been started.
    if (service.owner === cause.instanceId)
      return startOf(service, healthy, cause, type === 'abort-rollout' ? abortOf(cause) : undefined);
    const next = controlled(type, service, healthy, asked);
    if (next === undefined) return [];
    const owned: Service = next.goesOn
      ? { ...next.service, owner: cause.instanceId, epoch: (service.epoch ?? 0) + 1 }
      : next.service;
    try {
      await stores.services.replace(stored, owned);
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === MOST_ATTEMPTS) throw error;
      continue;
    }
    return next.goesOn ? startOf(owned, healthy, cause, next.abort) : [];
  }
}

function controlled(
  type: Control['type'],
  service: Service,
  healthy: Revision | undefined,
  asked: Parameters<typeof pauseRollout>[1],
): Controlled | undefined {
  switch (type) {
    case 'pause-rollout':
      return pauseRollout(service, asked);
    case 'resume-rollout':
      return resumeRollout(service, asked);
    case 'abort-rollout':
      return abortRollout(service, healthy, asked);
  }
}

const abortOf = ({ text }: Cause): Controlled['abort'] => ({
  code: 'aborted',
  reason: `it was aborted by ${text}`,
});

function startOf(
  service: Service,
  healthy: Revision | undefined,
  cause: Cause,
  abort: Controlled['abort'],
): readonly Start[] {
  const { accepted } = service;
  if (accepted === undefined) return [];
  const input = { ...rollOutOf(service, accepted, healthy, cause.text), ...(abort && { abort }) };
  return [{ orchestrator: rollOut.name, instanceId: cause.instanceId, input }];
}
