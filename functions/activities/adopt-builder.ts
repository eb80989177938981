import { adoptBuilder } from '../../shared/machines/golden/golden-activities.ts';
import { activity } from './activity.ts';

export const adopt = activity(
  adoptBuilder,
  async ({ machine, owner }, made) =>
    (await made.machines.change(machine, (current) =>
      current.status.state === 'booting' ? { ...current, owner } : undefined,
    )) ?? null,
);
