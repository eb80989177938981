import { changeSecurityGroup } from '../../shared/machines/by-hand/admit-callers.ts';
import { activity } from './activity.ts';

/** The newest wish counts: of two changes at once both put what the later recorded. */
export const change = activity(changeSecurityGroup, async ({ machine }, made) => {
  const found = await made.machines.get(machine);
  const name = found?.resources.securityGroup;
  if (found?.hand === undefined || name === undefined || GONE.has(found.status.state))
    return { status: 'done' };
  const { allowFrom, openPorts } = found.hand;
  return await made.publicAccess.putSecurityGroup({ name, machine, allowFrom, openPorts });
});

/** A group that is put now would be left over. */
const GONE: ReadonlySet<string> = new Set(['retiring', 'failed']);
