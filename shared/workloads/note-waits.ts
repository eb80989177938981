import type { ServiceKey } from '../model/service.ts';
import { placeOf, type Stores } from './stores.ts';

/** Says in the service's row what its rollout waits for; undefined: for nothing that takes long. */
export async function noteWaits(
  { services }: Stores,
  key: ServiceKey,
  owner: string,
  waits: string | undefined,
): Promise<void> {
  await services.update(...placeOf.service(key), (current) => {
    if (current?.owner !== owner || current.rollout.state !== 'rolling') return undefined;
    if (current.rollout.waits === waits) return undefined;
    return { ...current, rollout: { state: 'rolling', ...(waits !== undefined && { waits }) } };
  });
}
