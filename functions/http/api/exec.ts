import { connect } from 'node:net';
import { execInService, tunnelToService } from '../../../shared/api/routes/sessions.ts';
import type { Principal } from '../../../shared/auth/credentials.ts';
import { channelOf } from '../../../shared/docker/access.https.ts';
import type { Channel } from '../../../shared/docker/access.ts';
import type { ServiceSpec } from '../../../shared/model/application.ts';
import { CloudEvent } from '../../../shared/model/cloud-event.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import { type ServiceKey, serviceId } from '../../../shared/model/service.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { replicaView } from './service-views.ts';
import { serviceAt } from './services.ts';
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
  const { machine, address } = replica;
  const { spec } = await serviceAt(services.stores, params);
  const port = machinePort(replica, spec, body.port);
  if (port === undefined)
    throw new Terminal({
      code: 'port-not-published',
      message: `${params.application}/${params.service} publishes ${publishedText(spec)}, not ${body.port ?? 'one that it is reached at'}.`,
      remedy: 'Name such a port, or give it one in berth.yaml: port: 5432',
    });
  await services.sessions.begin(body.session, idOf(principal), async () => {
    const channel = await tcpChannel(address, port);
    await note(services, 'tunnel', body.tunnel ?? body.session, principal, params, replica, {
      port: body.port ?? spec.port,
    });
    return channel;
  });
  return { session: body.session, replica: replicaView(replica).name, machine };
});

/** The machine's port that leads to a container's: its own, or one of its fixed ones. */
function machinePort(replica: Running, spec: ServiceSpec, wanted = spec.port): number | undefined {
  if (wanted !== undefined && wanted === spec.port) return replica.port;
  return spec.ports?.find(
    ({ machine, container, protocol }) => protocol === 'tcp' && (container ?? machine) === wanted,
  )?.machine;
}

function publishedText({ port, ports = [] }: ServiceSpec): string {
  const all = [
    ...(port === undefined ? [] : [port]),
    ...ports.map(({ machine, container }) => container ?? machine),
  ];
  return all.length === 0 ? 'no port' : `port ${all.join(', ')}`;
}

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
