import * as df from 'durable-functions';
import { removeMachine } from '../../../shared/api/routes/by-hand.ts';
import { customDataSecret } from '../../../shared/machines/by-hand/custom-data-secret.ts';
import { removalId } from '../../../shared/machines/provisioning.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { closeRoom } from '../../../shared/scheduling/close-room.ts';
import { startRetirement } from '../../start-retirement.ts';
import { endpoint } from '../endpoint.ts';
import { begunOperation } from './machine-operations.ts';
import { occupants, refuseOccupied } from './occupied.ts';
import { theMachine } from './the-machine.ts';

export const remove = endpoint(
  removeMachine,
  async ({ params, query, services, context, principal }) => {
    const machine = await theMachine(params.machine, services);
    const now = services.now();
    const operation = begunOperation('remove', machine, removalId(machine), now);
    const reason = `removed by ${principal?.id ?? ''}`;
    // Nothing is placed on a machine made by hand, nor on one that is closed: what is not there now will not come.
    const isFree = !query.force && !query.drain && (await closeIfEmpty(machine));
    if (!isFree && !query.force && !query.drain) await refuse(machine);
    if (query.drain && !query.force && (await occupants(machine, services)).length > 0) {
      const since = now.toISOString();
      const drained = await services.machines.change(machine.name, (current) => ({
        ...current,
        cordon: { since, by: 'removal', reason, drain: true },
      }));
      return { machine: drained ?? machine, operation: { ...operation, step: 'drain' } };
    }
    const how = { since: now.toISOString(), ...(machine.status.state === 'failed' && { forget: true }) };
    if (machine.hand?.customData === true) await services.secrets.remove(customDataSecret(machine.name));
    await startRetirement(df.getClient(context), machine, reason, how);
    return { machine, operation };

    async function closeIfEmpty(of: Machine): Promise<boolean> {
      if (of.hand !== undefined || of.status.state === 'failed') return true;
      return (await occupants(of, services)).length === 0 && (await closeRoom(services.tables, of));
    }

    async function refuse(of: Machine): Promise<void> {
      await refuseOccupied(of, services, {
        verb: 'removed',
        remedy: `Move them elsewhere first: berth machine rm ${of.name} --drain. Or lose them: --force.`,
      });
    }
  },
  { durable: true },
);
