import { setTimeout as sleep } from 'node:timers/promises';
import { getEvent } from '../shared/api/routes/events.ts';
import { getService, listServices, type ServiceSummary } from '../shared/api/routes/services.ts';
import type { ApplicationSpec } from '../shared/model/application.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { failureText, refusalText, rolloutText, waitsText } from './service-table.ts';
import type { Session } from './session.ts';

/**
 * Watches an application's services until each rollout has ended, says every change, then gives the services.
 * @throws Failure `image-refused`, `rollout-failed`, `rollout-timeout`, `waiting-for-image`
 */
export const watchRollout = (
  session: Session,
  { name, services }: Pick<ApplicationSpec, 'name' | 'services'>,
  eventHash: string,
  timeoutSeconds: number,
): Promise<void> => watch(session, name, () => true, Object.keys(services).length, eventHash, timeoutSeconds);

/** The same of one service. @throws Failure as above */
export const watchService = (
  session: Session,
  { application, service }: { readonly application: string; readonly service: string },
  eventHash: string,
  timeoutSeconds: number,
): Promise<void> =>
  watch(session, application, ({ key }) => key.service === service, 1, eventHash, timeoutSeconds);

async function watch(
  session: Session,
  application: string,
  isWatched: (service: ServiceSummary) => boolean,
  wanted: number,
  eventHash: string,
  timeoutSeconds: number,
): Promise<void> {
  const { client, output, environment, interrupted } = session;
  const begin = Date.now();
  const said = new Map<string, string>();
  for (;;) {
    const { answered } = await client.call(getEvent, {
      params: { hash: eventHash },
      query: { source: 'api' },
    });
    const found = await client.call(listServices, { params: { environment }, query: { application } });
    const services = found.services.filter(isWatched);
    for (const service of services) {
      const name = `${service.key.application}/${service.key.service}`;
      const line = `${name}  revision ${service.revision ?? '-'}  ${rolloutText(service, output.paint)}  ${service.replicas.healthy}/${service.replicas.wanted} healthy`;
      if (said.get(name) === line) continue;
      said.set(name, line);
      output.say(`${((Date.now() - begin) / 1000).toFixed(1).padStart(6)}s  ${line}`);
    }
    const present = services.filter(({ removing }) => !removing).length;
    if (answered && present === wanted && services.every(hasEnded)) return conclude(session, services);
    if (interrupted.aborted || Date.now() - begin > timeoutSeconds * 1000)
      throw new Failure({
        code: 'rollout-timeout',
        message: interrupted.aborted
          ? 'No longer waiting; the rollout goes on.'
          : `The rollout has not ended after ${timeoutSeconds} s; it goes on.`,
        remedy: `Look at it: berth status --environment ${environment}`,
        exitCode: exitCodes.failed,
      });
    await sleep(300, undefined, { signal: interrupted }).catch(() => undefined);
  }
}

/** One that waits for somebody ends the watch; one whose pause ends by itself does not. */
const hasEnded = ({ rollout, removing }: ServiceSummary): boolean =>
  !removing && rollout.state !== 'rolling' && !(rollout.state === 'paused' && rollout.until !== undefined);

async function conclude(
  { client, output, environment }: Session,
  services: readonly ServiceSummary[],
): Promise<void> {
  const details = await Promise.all(
    services.map(({ key }) =>
      client.call(getService, {
        params: { environment, application: key.application, service: key.service },
      }),
    ),
  );
  output.data(details, () =>
    details
      .flatMap(({ service, replicas }) =>
        replicas
          .filter(({ status }) => status.state === 'healthy')
          .map(
            ({ name, machine, address, port }) =>
              `${service.key.application}/${service.key.service}/${name}  ${port === undefined ? machine : `http://${address}:${port}`}`,
          ),
      )
      .join('\n'),
  );
  const refused = services.filter((service) => service.refused !== undefined);
  if (refused.length > 0)
    throw new Failure({
      code: 'image-refused',
      message: refused.map(refusalText).join('\n'),
      remedy: `What ran before runs on. Sign the image, and that rolls it out; look at it with: berth images verify ${refused[0]?.image} --environment ${environment}`,
      exitCode: exitCodes.failed,
    });
  const failed = services.filter(({ rollout }) => rollout.state === 'failed');
  if (failed.length > 0)
    throw new Failure({
      code: 'rollout-failed',
      message: failed.map(failureText).join('\n'),
      remedy: 'The revision before, if there was one, keeps serving. Mend the cause and deploy again.',
      exitCode: exitCodes.failed,
    });
  const paused = services.filter(({ rollout }) => rollout.state === 'paused');
  const [first] = paused;
  if (first !== undefined) {
    const name = `${first.key.application}/${first.key.service}`;
    throw new Failure({
      code: 'rollout-paused',
      message: waitsText(paused),
      remedy: `Go on with it: berth rollout resume ${name}; or back: berth rollout abort ${name}`,
      exitCode: exitCodes.waiting,
    });
  }
  const waiting = services.filter(({ rollout }) => rollout.state === 'waiting-for-image');
  if (waiting.length > 0)
    throw new Failure({
      code: 'waiting-for-image',
      message: waiting
        .map(({ key, image }) => `${key.application}/${key.service} waits for the image ${image}.`)
        .join('\n'),
      remedy: `Push it, and it rolls out: docker push ${client.connection.url.host}/${waiting[0]?.image}`,
      exitCode: exitCodes.waiting,
    });
}
