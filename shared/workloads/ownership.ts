import type { Service, ServiceKey } from '../model/service.ts';
import { placeOf, type Stores } from './stores.ts';

/**
 * The service, if this orchestration still owns it. Steps of an orchestration that was superseded do nothing: the fence
 * that keeps a late one from undoing what a newer one did.
 */
export async function ownedService(
  { services }: Stores,
  key: ServiceKey,
  owner: string,
): Promise<Service | undefined> {
  const found = await services.get(...placeOf.service(key));
  return found?.value.owner === owner ? found.value : undefined;
}
