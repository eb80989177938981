import { notePower } from '../../shared/machines/by-hand/power-change.ts';
import { activity } from './activity.ts';

export const note = activity(notePower, async ({ machine, owner, state }, made) => {
  const since = made.now().toISOString();
  const changed = await made.machines.change(machine, (current) =>
    current.owner === owner && CHANGING.has(current.status.state)
      ? { ...current, status: { state, since } }
      : undefined,
  );
  return changed ?? null;
});

/** One that has reported meanwhile is ready already. */
const CHANGING: ReadonlySet<string> = new Set(['stopping', 'starting']);
