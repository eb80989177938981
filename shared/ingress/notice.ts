import type { Replica, ServiceKey } from '../model/service.ts';
import { serviceId } from '../model/service.ts';
import { allRoutes } from './claims.ts';
import { isIngress } from './ingress-application.ts';
import { type Pushed, type PushPorts, push, serverOf } from './push.ts';

/** What rollouts tell the ingress. Each call returns when every proxy that answers knows. */
export interface Notice {
  /** Replicas of this service serve, or do not any more. Costs a look at the routes where the service has none. */
  changed(key: ServiceKey): Promise<void>;
  /**
   * A replica that was just recorded as not serving is about to be stopped: no proxy sends it requests when this returns,
   * and those under way have ended, or had as long as their route gives them.
   */
  withdrawn(replica: Replica): Promise<void>;
  /** Whatever changed. */
  push(): Promise<Pushed>;
}

/** Milliseconds in which the load balancer has asked at least once: balancer.azure.ts. */
const PROBED_MS = 6_000;

/**
 * Changes that come while one is being told are told together afterwards. A proxy that could not be told is told by the
 * next change, or by the sweep: what a rollout does goes on.
 * @param join has the load balancer lead to replicas of the ingress that are new
 * @param report what failed otherwise
 */
export function notice(
  ports: PushPorts,
  join: () => Promise<void>,
  report: (error: unknown) => void,
): Notice {
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
  /** The ingress itself is stopped: connections go to the others first. */
  const left = async ({ machine, address, containerId }: Replica): Promise<void> => {
    if (containerId === undefined || (await allRoutes(ports.tables)).length === 0) return;
    await ports.door.leave({ machine, address, container: containerId });
    await ports.sleep(PROBED_MS);
  };
  const routesOf = async (key: ServiceKey) =>
    (await allRoutes(ports.tables)).filter((row) => serviceId(row.key) === serviceId(key));
  return {
    push: tell,
    async changed(key) {
      try {
        if (isIngress(key)) await Promise.all([tell(), join()]);
        else if ((await routesOf(key)).length > 0) await tell();
      } catch (error) {
        report(error);
      }
    },
    async withdrawn(replica) {
      try {
        if (isIngress(replica.key)) return await left(replica);
        const routes = await routesOf(replica.key);
        if (routes.length === 0) return;
        const { servers, told } = await tell();
        const server = serverOf({ ...replica, status: { state: 'healthy', since: '' } });
        const places = Object.entries(servers).flatMap(([backend, slots]) =>
          slots.flatMap((slot, index) => (slot?.replica === server?.replica ? [`${backend}/s${index}`] : [])),
        );
        const longest = Math.max(...routes.map(({ route }) => route.timeouts.drain));
        if (places.length > 0 && longest > 0)
          await Promise.all(
            told.map((ingress) => ports.door.drained(ingress, places, longest).catch(report)),
          );
      } catch (error) {
        report(error);
      }
    },
  };
}
