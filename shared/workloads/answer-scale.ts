import type { ServiceSpec } from '../model/application.ts';
import type { Command } from '../model/command.ts';
import { Terminal } from '../model/errors.ts';
import { Invalid, type Issue } from '../model/invalid.ts';
import { PoolSpec } from '../model/pool.ts';
import { type Service, type ServiceKey, serviceId } from '../model/service.ts';
import { tooMany } from '../scheduling/placement-faults.ts';
import { portClaims } from '../scheduling/port-claims.ts';
import type { Answering, Cause, Start } from './answer.ts';
import { changeService, isAccepted, type ServiceChange } from './change-service.ts';
import { portClaimants } from './port-claimants.ts';
import { placeOf, type Stores } from './stores.ts';

/** Another number of replicas; those that run stay. */
export const answerScale = (
  answering: Answering,
  cause: Cause,
  { replicas, ...key }: Extract<Command, { type: 'scale' }>,
): Promise<readonly Start[]> =>
  changeKnown(answering, cause, key, async (service) => {
    if (Date.parse(service.specAt) > Date.parse(cause.at)) return undefined;
    if (service.spec.mode === 'one-per-machine')
      throw new Terminal({
        code: 'not-scalable',
        status: 409,
        message: `${serviceId(service.key)} runs once on each machine of pool ${service.spec.pool}: it has as many replicas as there are machines.`,
        remedy: 'Change the pool, or deploy it with mode: replicated.',
      });
    await refuseTooMany(answering, service, replicas);
    const { accepted } = service;
    const changed: Service = { ...service, spec: { ...service.spec, replicas }, specAt: cause.at };
    if (accepted === undefined) return { service: changed };
    const spec = { ...accepted.spec, replicas };
    const going = isAccepted(service, spec, accepted.digest);
    return { service: changed, accept: going ? undefined : { spec, digest: accepted.digest } };
  });

/** More than its pool's machines could ever hold: each with its port, which others may have too, or at most so many on one. */
async function refuseTooMany(
  { stores }: Answering,
  { key, spec: before }: Service,
  replicas: number,
): Promise<void> {
  const spec = { ...before, replicas };
  const pool = (await stores.pools.get(...placeOf.pool(spec.pool)))?.value ?? PoolSpec.parse({});
  const alone = tooMany(spec, pool);
  const isMore = replicas > before.replicas && (spec.ports ?? []).length > 0;
  const issues = alone.length > 0 || !isMore ? alone : await claimed(stores, key, spec, pool);
  if (issues.length > 0)
    throw new Invalid({
      code: 'placement-impossible',
      status: 409,
      message: issues.map(({ message }) => message).join('\n'),
      remedy: 'Nothing was changed. Raise the maximum of the pool, or scale to fewer.',
      issues,
    });
}

/** Its ports, on more machines than the pool may have together with those of other services. */
async function claimed(
  stores: Stores,
  key: ServiceKey,
  spec: ServiceSpec,
  pool: PoolSpec,
): Promise<readonly Issue[]> {
  const others = await portClaimants(stores, key.environment, (other) => serviceId(other) === serviceId(key));
  const own = { name: `${key.application}/${key.service}`, path: 'service', spec };
  const found = portClaims([own, ...others], () => pool);
  return found.map(({ message }) => ({ path: 'replicas', message }));
}

/** New containers of what runs now. */
export const answerRestart = (
  answering: Answering,
  cause: Cause,
  key: Extract<Command, { type: 'restart' }>,
): Promise<readonly Start[]> =>
  changeKnown(answering, cause, key, (service) => {
    if (service.accepted === undefined)
      throw new Terminal({
        code: 'image-not-pushed',
        status: 409,
        message: `${serviceId(service.key)} has never run: its image ${service.spec.image} was not pushed yet.`,
        remedy: `Push ${service.spec.image}; the push itself starts the service.`,
      });
    const { spec, digest } = service.accepted;
    return { service, accept: { spec, digest } };
  });

/** @throws Terminal 404 `service-unknown` */
export async function changeKnown(
  answering: Answering,
  cause: Cause,
  { environment, application, service }: ServiceKey,
  change: (service: Service) => ServiceChange | undefined | Promise<ServiceChange | undefined>,
): Promise<readonly Start[]> {
  const key = { environment, application, service };
  const start = await changeService(answering, cause, key, cause.instanceId, (found) => {
    if (found !== undefined && !found.removing) return change(found);
    throw serviceUnknown(key);
  });
  return start === undefined ? [] : [start];
}

export const serviceUnknown = (key: ServiceKey): Terminal =>
  new Terminal({
    code: 'service-unknown',
    status: 404,
    message: `There is no service ${serviceId(key)}.`,
    remedy: 'List the services with `berth ps`, or deploy it first.',
  });
