import { handMadeRemedy } from '../../shared/machines/by-hand/remedies.ts';
import { withConsole } from '../../shared/machines/console-end.ts';
import { failMachine } from '../../shared/machines/machine-activities.ts';
import { activity } from './activity.ts';

export const fail = activity(failMachine, async (asked, made, context) => {
  const { machine: name, owner, code, reason } = asked;
  const found = await made.machines.get(name);
  if (found === undefined) return null;
  const remedy = found.hand === undefined ? asked.remedy : handMadeRemedy(code, asked.remedy);
  if (found.owner === owner && found.status.state === 'failed' && found.hand === undefined)
    await made.breakers.failed(found.pool, { machine: name, code, reason });
  if (found.owner !== owner || !COMING.has(found.status.state)) return found;
  // The log goes with the VM; a machine that failed for other reasons may have none.
  const log = await made.cloud.consoleLog(found.resources.vm).catch((error: unknown) => {
    context.warn(`no console log of ${name}:`, error);
    return undefined;
  });
  // Why it failed is recorded also where the log cannot be kept.
  const console =
    log === undefined
      ? undefined
      : await made.consoles.keep(found, log).catch((error: unknown) => {
          context.warn(`the console log of ${name} was not kept:`, error);
          return undefined;
        });
  const at = made.now().toISOString();
  const changed = await made.machines.change(name, (current) =>
    current.owner === owner && COMING.has(current.status.state)
      ? {
          ...current,
          leftovers: [...current.leftovers, current.resources],
          status: {
            state: 'failed',
            at,
            code,
            reason: withConsole(reason, log),
            ...(remedy !== undefined && { remedy }),
            ...(console !== undefined && { console }),
          },
        }
      : undefined,
  );
  // Told after the record says so: the activity may run again, and a machine counts once.
  if (changed?.status.state === 'failed' && changed.hand === undefined)
    await made.breakers.failed(changed.pool, { machine: name, code, reason });
  return changed ?? null;
});

const COMING: ReadonlySet<string> = new Set(['provisioning', 'booting']);
