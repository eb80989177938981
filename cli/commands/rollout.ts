import { type Command, InvalidArgumentError } from 'commander';
import { abortRollout, pauseRollout, resumeRollout, undoRollout } from '../../shared/api/routes/rollouts.ts';
import { getService, listRevisions, type ServiceSummary } from '../../shared/api/routes/services.ts';
import type { Revision } from '../../shared/model/service.ts';
import { ago, harmless, type Paint, table } from '../output.ts';
import { failureText, rolloutText } from '../service-table.ts';
import { withSession } from '../session.ts';
import { serviceNamed } from './services.ts';

function revisionNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected the number of a revision.');
  return Number(text);
}

const SERVICE = ['<service>', 'application/service, or the service alone where that is enough'] as const;

/** Looks at rollouts and steers them. */
export function addRollout(program: Command): void {
  const rollout = program.command('rollout').description('how a service goes from one revision to the next');
  rollout
    .command('status')
    .description('how far the rollout is, and what it waits for')
    .argument(...SERVICE)
    .action((name: string, _options, command: Command) =>
      withSession(command, async (session) => {
        const params = await serviceNamed(session, name);
        const found = await session.client.call(getService, { params });
        session.output.data(found, () => statusText(found.service, session.output.paint));
      }),
    );
  rollout
    .command('history')
    .description('the revisions of a service and how their rollouts ended, the newest first')
    .argument(...SERVICE)
    .action((name: string, _options, command: Command) =>
      withSession(command, async (session) => {
        const params = await serviceNamed(session, name);
        const [{ revisions }, { service }] = await Promise.all([
          session.client.call(listRevisions, { params }),
          session.client.call(getService, { params }),
        ]);
        session.output.data(revisions, () => historyTable(revisions, service));
      }),
    );
  const verbs = [
    ['pause', pauseRollout, 'lets a rollout stand where it is', 'paused'],
    ['resume', resumeRollout, "lets a paused rollout go on; ends a canary's step", 'goes on'],
    ['abort', abortRollout, 'ends a rollout: back to the revision that was healthy before', 'goes back'],
  ] as const;
  for (const [verb, route, description, done] of verbs)
    rollout
      .command(verb)
      .description(description)
      .argument(...SERVICE)
      .action((name: string, _options, command: Command) =>
        withSession(command, async (session) => {
          const params = await serviceNamed(session, name);
          const accepted = await session.client.call(route, { params });
          session.output.data(accepted, () => `${params.application}/${params.service}: the rollout ${done}`);
        }),
      );
  rollout
    .command('undo')
    .description('goes back to the revision before, or to another one')
    .argument(...SERVICE)
    .option('--to <revision>', 'its number, see berth rollout history', revisionNumber)
    .action((name: string, { to }: { to?: number }, command: Command) =>
      withSession(command, async (session) => {
        const params = await serviceNamed(session, name);
        const json = to === undefined ? {} : { revision: to };
        const accepted = await session.client.call(undoRollout, { params, json });
        const where = to === undefined ? 'the revision before' : `revision ${to}`;
        session.output.data(accepted, () => `${params.application}/${params.service}: goes back to ${where}`);
      }),
    );
}

function statusText(service: ServiceSummary, paint: Paint): string {
  const { key, revision, healthyRevision, progress } = service;
  const { step } = progress ?? {};
  return [
    `${key.application}/${key.service}  ${rolloutText(service, paint)}`,
    `revision  ${revision ?? 'none yet'}${healthyRevision === undefined ? '' : `; ${healthyRevision} was healthy last`}`,
    ...(progress === undefined
      ? []
      : [
          `strategy  ${progress.strategy}${step === undefined ? '' : `, step ${step.number} of ${step.of} (${step.percent} %)`}`,
          `healthy   ${progress.healthy} of ${progress.wanted} new, ${progress.others} of others`,
          `waits     ${harmless(progress.waits)}`,
        ]),
    ...[failureText(service)].filter((text) => text !== ''),
  ].join('\n');
}

const historyTable = (revisions: readonly Revision[], service: ServiceSummary): string =>
  table(
    ['REVISION', 'IMAGE', 'DIGEST', 'REPLICAS', 'ACCEPTED', 'ROLLOUT', 'CAUSE'],
    revisions.map(({ number, spec, digest, acceptedAt, ended, cause }) => [
      String(number),
      spec.image,
      digest.slice(0, 19),
      String(spec.replicas),
      ago(acceptedAt),
      endText(number, ended, service),
      harmless(cause),
    ]),
    'No revision was accepted yet.',
  );

function endText(number: number, ended: Revision['ended'], service: ServiceSummary): string {
  const serves = number === service.healthyRevision ? ', healthy last' : '';
  if (number === service.revision && ended === undefined) return `${service.rollout.state}${serves}`;
  if (ended === undefined) return `overtaken${serves}`;
  return `${ended.state}${ended.code === undefined ? '' : `: ${ended.code}`}${serves}`;
}
