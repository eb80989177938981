import { ensureNetwork } from '../../shared/machines/machine-activities.ts';
import { activity } from './activity.ts';

export const network = activity(ensureNetwork, (_input, made) => made.cloud.ensureNetwork());
