import type { z } from 'zod';
import { type RouteSpec, routeFaults, routeId } from './route.ts';

type Services = Readonly<
  Record<string, { readonly port?: number | undefined; readonly routes?: readonly RouteSpec[] | undefined }>
>;

/** Routes of an application that cannot be, told where they stand. For `superRefine` of its services. */
export function checkRoutes(services: Services, context: z.RefinementCtx): void {
  const claimed = new Map<string, string>();
  for (const [name, { port, routes = [] }] of Object.entries(services)) {
    if (routes.length > 0 && port === undefined)
      context.addIssue({
        code: 'custom',
        path: [name, 'routes'],
        message: `routes lead to the port of ${name}, which has none: expected port: with what the container listens on`,
      });
    for (const [index, route] of routes.entries()) {
      for (const { key, message } of routeFaults(route))
        context.addIssue({ code: 'custom', path: [name, 'routes', index, key], message });
      const id = routeId(route);
      const holder = claimed.get(id);
      if (holder !== undefined)
        context.addIssue({
          code: 'custom',
          path: [name, 'routes', index, 'host'],
          message:
            holder === name
              ? `the route ${id} stands twice: expected each host and path once`
              : `the route ${id} is claimed by ${holder} and ${name}: expected one service for each host and path`,
        });
      claimed.set(id, name);
    }
  }
}
