import { connect } from 'node:net';
import { execInService, tunnelToService } from '../../../shared/api/routes/sessions.ts';
import type { Principal } from '../../../shared/auth/credentials.ts';
import { channelOf } from '../../../shared/docker/access.https.ts';
import type { Channel } from '../../../shared/docker/access.ts';
import { CloudEvent } from '../../../shared/model/cloud-event.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import { type ServiceKey, serviceId } from '../../../shared/model/service.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { replicaView } from './service-views.ts';
import { type Running, theReplica } from './the-replica.ts';

export const exec = endpoint(execInService, async ({ params, body, principal, services }) => {
  const { session, replica: name, size, ...request } = body;
  const replica = await theReplica(services, params, name);
  const { machine, address, containerId } = replica;
  await services.sessions.begin(session, idOf(principal), async () => {
    const access = await services.accessOf({ name: machine, address });
    const channel = await access.exec(containerId, request, size);
    const { command, tty } = request;
    await note(services, 'exec', session, principal, params, replica, { command, tty });
    return channel;
  });
  return { session, replica: replicaView(replica).name, machine };
});

export const tunnel = endpoint(tunnelToService, async ({ params, body, principal, services }) => {
  const replica = await theReplica(services, params, body.replica);
  const { machine, address, port } = replica;
  const { spec } = (
    await services.stores.services.get(params.environment, `${params.application}.${params.service}`)
  )?.value ?? { spec: undefined };
  if (port === undefined || (body.port !== undefined && body.port !== spec?.port))
    throw new Terminal({
      code: 'port-not-published',
      message: `${params.application}/${params.service} publishes ${spec?.port === undefined ? 'no port' : `port ${spec.port}`}, not ${body.port ?? 'one'}.`,
      remedy: 'Name its port, or give it one in berth.yaml: port: 5432',
    });
  await services.sessions.begin(body.session, idOf(principal), async () => {
    const channel = await tcpChannel(address, port);
    await note(services, 'tunnel', body.session, principal, params, replica, { port: spec?.port });
    return channel;
  });
  return { session: body.session, replica: replicaView(replica).name, machine };
});

export const idOf = (principal: Principal | undefined): string => principal?.id ?? '';

/** Who worked inside what is an event: it says with which command, and nothing of what went in or came out. */
export async function note(
  { events, now }: Pick<Services, 'events' | 'now'>,
  what: 'exec' | 'tunnel' | 'copy',
  id: string,
  principal: Principal | undefined,
  key: ServiceKey,
  replica: Running,
  more: Record<string, unknown>,
): Promise<void> {
  const { environment, application, service } = key;
  const event = CloudEvent.parse({
    specversion: '1.0',
    id,
    source: 'api',
    type: `dev.berth.${what}`,
    subject: serviceId(key),
    time: now().toISOString(),
    data: {
      by: idOf(principal),
      key: { environment, application, service },
      replica: replicaView(replica).name,
      machine: replica.machine,
      ...more,
    },
  });
  const { hash } = await events.append(event);
  await events.answered(event, hash);
}

/** Milliseconds. */
const CONNECT = 5_000;

function tcpChannel(host: string, port: number): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
    const limit = setTimeout(() => socket.destroy(new Error('no connection in time')), CONNECT);
    socket.once('connect', () => {
      clearTimeout(limit);
      resolve(channelOf(socket, true, { exit: async () => undefined, resize: async () => {} }));
    });
    socket.once('error', (cause) => {
      clearTimeout(limit);
      reject(
        new Terminal({
          code: 'replica-refuses',
          status: 502,
          message: `Nothing answers at ${host}:${port}: ${cause.message}`,
          remedy: 'See whether it is healthy: berth ps.',
          cause,
        }),
      );
    });
  });
}
