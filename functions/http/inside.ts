import { type InsideRegistry, insideRegistry } from '../../shared/registry/images/inside.ts';
import type { Call } from './endpoint.ts';
import { registryFor } from './registry-handler.ts';

/**
 * The registry as the caller of a route may use it: what a client could not do is not done for it here. The route must have a
 * durable client.
 */
export function insideFor({
  services,
  context,
  principal,
  request,
}: Call<unknown, unknown, unknown>): InsideRegistry {
  if (principal === undefined) throw new Error('a route that changes images asks for a key');
  return insideRegistry(registryFor(services, context), services.registry, {
    principal,
    origin: `https://${services.settings.hostname}`,
    headers: request.headers,
  });
}
