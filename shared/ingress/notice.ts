import type { ServiceSpec } from '../model/application.ts';
import type { Replica, ServiceKey } from '../model/service.ts';
import { isIngress } from './ingress-application.ts';
import { type Pushed, type PushPorts, push, serverOf } from './push.ts';

/** What rollouts tell the ingress. Each call returns when every proxy that answers knows. */
export interface Notice {
  /** Replicas of this service serve, or do not any more. Costs nothing for a service without routes. */
  changed(key: ServiceKey, spec: Pick<ServiceSpec, 'routes'>): Promise<void>;
  /**
   * A replica that was just recorded as not serving is about to be stopped: no proxy sends it requests when this returns,
   * and those under way have ended, or had as long as the route gives them.
   * @returns false if the service has no routes
   */
  withdrawn(replica: Replica, spec: Pick<ServiceSpec, 'routes'>): Promise<boolean>;
}

/** Changes that come while one is being told are told together afterwards. */
export function notice(ports: PushPorts): Notice {
  let going: Promise<unknown> = Promise.resolve();
  let next: Promise<Pushed> | undefined;
  const tell = (): Promise<Pushed> => {
    next ??= going.then(async () => {
      next = undefined;
      const pushed = push(ports);
      going = pushed.catch(() => {});
      return await pushed;
    });
    return next;
  };
  return {
    async changed(key, { routes = [] }) {
      if (routes.length > 0 || isIngress(key)) await tell();
    },
    async withdrawn(replica, { routes = [] }) {
      if (routes.length === 0) return false;
      const { servers, told } = await tell();
      const server = serverOf({ ...replica, status: { state: 'healthy', since: '' } });
      const places = Object.entries(servers).flatMap(([backend, slots]) =>
        slots.flatMap((slot, index) => (slot?.replica === server?.replica ? [`${backend}/s${index}`] : [])),
      );
      const longest = Math.max(...routes.map(({ timeouts }) => timeouts.drain));
      if (places.length > 0 && longest > 0)
        await Promise.all(
          told.map((ingress) => ports.door.drained(ingress, places, longest).catch(() => false)),
        );
      return true;
    },
  };
}
