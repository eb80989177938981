import { type ServiceKey, serviceId } from '../model/service.ts';
import type { Claimant } from '../scheduling/port-claims.ts';
import { all, type Stores } from './stores.ts';

/**
 * Services that may have ports of machines, of all environments: pools are shared by them. One of another environment is named
 * with it.
 * @param environment of who asks
 * @param isLeftOut those that who asks knows better
 */
export async function portClaimants(
  { services }: Pick<Stores, 'services'>,
  environment: string,
  isLeftOut: (key: ServiceKey) => boolean,
): Promise<readonly Claimant[]> {
  const found = await all(services.list({}));
  return found
    .filter(({ key, removing }) => !removing && !isLeftOut(key))
    .map(({ key, spec }) => ({
      name: key.environment === environment ? `${key.application}/${key.service}` : serviceId(key),
      spec,
    }));
}
