import { beginRetirement } from '../../shared/machines/machine-activities.ts';
import { activity } from './activity.ts';

export const begin = activity(beginRetirement, async ({ machine, reason, owner, expected }, made) => {
  const since = made.now().toISOString();
  let isExpected = true;
  const found = await made.machines.change(machine, (current) => {
    const { status } = current;
    const isOurs = status.state === 'retiring' && current.owner === owner;
    isExpected =
      isOurs ||
      expected === undefined ||
      (expected.state === status.state && expected.owner === current.owner);
    return !isExpected || isOurs || status.state === 'failed'
      ? undefined
      : { ...current, owner, status: { state: 'retiring', since, reason } };
  });
  return isExpected ? (found ?? null) : null;
});
