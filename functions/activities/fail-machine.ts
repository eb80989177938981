import { withConsole } from '../../shared/machines/console-end.ts';
import { failMachine } from '../../shared/machines/machine-activities.ts';
import { activity } from './activity.ts';

export const fail = activity(failMachine, async ({ machine: name, code, reason }, made, context) => {
  const found = await made.machines.get(name);
  if (found === undefined || found.status.state === 'failed') return null;
  // The log goes with the VM; a machine that failed for other reasons may have none.
  const log = await made.cloud.consoleLog(found.resources.vm).catch((error: unknown) => {
    context.warn(`no console log of ${name}:`, error);
    return undefined;
  });
  const at = made.now().toISOString();
  await made.machines.change(name, (current) => ({
    ...current,
    status: { state: 'failed', at, code, reason: withConsole(reason, log) },
  }));
  return null;
});
