import { z } from 'zod';
import { RouteSpec, routeId } from '../model/route.ts';
import { ServiceKey, serviceId } from '../model/service.ts';

/** A route that a service has: it serves from the moment on at which this row is there. */
export const RouteRow = z.object({
  key: ServiceKey,
  route: RouteSpec,
  /** Of the service: what the ingress asks of each replica besides. */
  health: z.object({ path: z.string().optional() }).default({}),
  /** Time of the deployment that brought it. */
  at: z.iso.datetime({ offset: true }),
});
export type RouteRow = z.infer<typeof RouteRow>;

/** `shop.example.com/api → dev.shop.web`: a route in words. */
export const routeText = ({ key, route }: RouteRow): string => `${routeId(route)} → ${serviceId(key)}`;

/** Names the route's servers in the proxy: letters that it allows, the same for the same route. */
export const backendName = ({ route }: Pick<RouteRow, 'route'>): string =>
  `route_${routeId(route).replace(/[^a-z0-9]/gi, (character) => `_${character.charCodeAt(0).toString(16)}_`)}`;
