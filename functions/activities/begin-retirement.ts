import { beginRetirement } from '../../shared/machines/machine-activities.ts';
import { activity } from './activity.ts';

export const begin = activity(beginRetirement, async ({ machine, reason, owner }, made) => {
  const since = made.now().toISOString();
  const found = await made.machines.change(machine, (current) =>
    current.status.state === 'failed'
      ? undefined
      : { ...current, owner, status: { state: 'retiring', since, reason } },
  );
  return found ?? null;
});
