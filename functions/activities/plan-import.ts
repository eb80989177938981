import { planImport } from '../../shared/model/image-import.ts';
import { planImport as effect } from '../../shared/registry/import/plan-import.ts';
import { activity } from './activity.ts';

export const planImportActivity = activity(planImport, async (order, { mirror }) =>
  effect(await mirror.at(order.from.host, order.from.repository), order),
);
