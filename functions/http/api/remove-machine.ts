import * as df from 'durable-functions';
import { removeMachine } from '../../../shared/api/routes/by-hand.ts';
import { customDataSecret } from '../../../shared/machines/by-hand/custom-data-secret.ts';
import { removalId } from '../../../shared/machines/provisioning.ts';
import { cordoned } from '../../../shared/machines/replacement/cordon.ts';
import { Retryable } from '../../../shared/model/errors.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { closeRoom, setClosed } from '../../../shared/scheduling/close-room.ts';
import type { Services } from '../../services.ts';
import { startDrain } from '../../start-drain.ts';
import { startRetirement } from '../../start-retirement.ts';
import { endpoint } from '../endpoint.ts';
import { begunOperation } from './machine-operations.ts';
import { occupants, refuseOccupied } from './occupied.ts';
import { theMachine } from './the-machine.ts';

export const remove = endpoint(
  removeMachine,
  async ({ params, query, services, context, principal }) => {
    const machine = await theMachine(params.machine, services);
    const client = df.getClient(context);
    const since = services.now().toISOString();
    const reason = `removed by ${principal?.id ?? ''}`;
    const operation = begunOperation('remove', machine, removalId(machine), services.now());
    if (query.force || (await isEmpty(machine, services))) {
      if (machine.hand?.customData === true) await services.secrets.remove(customDataSecret(machine.name));
      const forget = machine.status.state === 'failed';
      await startRetirement(client, machine, reason, { since, ...(forget && { forget }) });
      return { machine, operation };
    }
    if (!query.drain) await refuse(machine, services);
    const drained = await services.machines.change(machine.name, (current) =>
      cordoned(current, { since, by: 'removal', reason, drain: true }),
    );
    await setClosed(services.tables, machine, true);
    await startDrain(client, machine.name);
    return { machine: drained ?? machine, operation: { ...operation, step: 'drain' } };
  },
  { durable: true },
);

/** Nothing is placed on a machine made by hand, nor on one whose room was closed: what is not there now will not come. */
async function isEmpty(machine: Machine, made: Services): Promise<boolean> {
  if (machine.hand !== undefined || machine.status.state === 'failed') return true;
  return (await occupants(machine, made)).length === 0 && (await closeRoom(made.tables, machine));
}

/** @throws Invalid `machine-occupied` (409) with what is there; Retryable where that changes at this moment */
async function refuse(machine: Machine, made: Services): Promise<never> {
  const { name } = machine;
  await refuseOccupied(machine, made, {
    verb: 'removed',
    remedy: `Move them elsewhere first: berth machine rm ${name} --drain. Or lose them: --force.`,
  });
  throw new Retryable({
    code: 'machine-busy',
    message: `Something was just placed on ${name}, or is leaving it.`,
    remedy: 'Ask again in a moment.',
  });
}
