import { refreshCopy } from '../../shared/events/refresh-copy.ts';
import { registryOf } from '../http/registry-handler.ts';
import { activity } from './activity.ts';

export const refreshCopyActivity = activity(
  refreshCopy,
  async ({ repository, tag }, made, context) => {
    const found = await made.mirror.refresh(registryOf(made, context), repository, tag);
    return { outcome: found?.outcome ?? 'no-copy' };
  },
  { durable: true },
);
