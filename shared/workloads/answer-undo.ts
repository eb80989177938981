import type { Command } from '../model/command.ts';
import { Terminal } from '../model/errors.ts';
import { type Revision, type Service, serviceId, templateOf } from '../model/service.ts';
import type { Answering, Cause, Start } from './answer.ts';
import { changeKnown } from './answer-scale.ts';
import { all } from './stores.ts';

/**
 * Goes back to an earlier revision, with as many replicas as there are wanted now. What is deployed stays written: the
 * next push or deployment goes on from there.
 * @throws Terminal 404 `service-unknown`, `revision-unknown`; 409 `no-earlier-revision`, `revision-serves`
 */
export const answerUndo = (
  answering: Answering,
  cause: Cause,
  { revision, ...key }: Extract<Command, { type: 'undo-rollout' }>,
): Promise<readonly Start[]> =>
  changeKnown(answering, cause, key, async (service) => {
    const revisions = await all(answering.stores.revisions.list({ partition: serviceId(service.key) }));
    const { accepted } = service;
    const target =
      revision === undefined ? earlierOf(service, revisions) : named(service, revisions, revision);
    const replicas = accepted?.spec.replicas ?? target.spec.replicas;
    const accept = {
      spec: { ...target.spec, replicas },
      digest: target.digest,
      // Containers of it that still run are its own.
      template: templateOf(target),
    };
    return { service, accept };
  });

/** The one that serves where another was tried, or the newest before it that was healthy. */
function earlierOf(service: Service, revisions: readonly Revision[]): Revision {
  const { accepted, healthyRevision } = service;
  const current = accepted && templateOf(accepted);
  const others = revisions
    .filter((one) => one.number < (service.revision ?? 0) && templateOf(one) !== current)
    .sort((a, b) => b.number - a.number);
  const found =
    others.find(({ number }) => number === healthyRevision) ??
    others.find(({ ended }) => ended?.state === 'done') ??
    // Revisions of before their ends were written down.
    others.find(({ ended }) => ended === undefined);
  if (found !== undefined) return found;
  throw new Terminal({
    code: 'no-earlier-revision',
    status: 409,
    message: `There is no earlier revision of ${serviceId(service.key)} that was healthy.`,
    remedy: 'Look at what there is: berth rollout history. Any of them can be named: --to NUMBER.',
  });
}

function named(service: Service, revisions: readonly Revision[], number: number): Revision {
  const found = revisions.find((one) => one.number === number);
  if (found === undefined)
    throw new Terminal({
      code: 'revision-unknown',
      status: 404,
      message: `There is no revision ${number} of ${serviceId(service.key)}.`,
      remedy: 'Look at what there is: berth rollout history. The last 50 are kept.',
    });
  const { accepted, rollout } = service;
  if (accepted !== undefined && templateOf(accepted) === templateOf(found) && rollout.state !== 'failed')
    throw new Terminal({
      code: 'revision-serves',
      status: 409,
      message: `Revision ${number} of ${serviceId(service.key)} is what it has.`,
      remedy: 'Name an earlier one, see berth rollout history; for new containers of it: berth restart.',
    });
  return found;
}
