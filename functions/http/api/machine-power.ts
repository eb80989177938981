import * as df from 'durable-functions';
import { restartMachine, startMachine, stopMachine } from '../../../shared/api/routes/by-hand.ts';
import { hourlyCost } from '../../../shared/machines/by-hand/cost.ts';
import { beginPower, changePower, type PowerAction } from '../../../shared/machines/by-hand/power-change.ts';
import { withSuffix } from '../../../shared/machines/machine-names.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import type { MachineName } from '../../../shared/model/names.ts';
import { type Call, endpoint } from '../endpoint.ts';
import { begunOperation } from './machine-operations.ts';
import { refuseOccupied } from './occupied.ts';
import { theMachine } from './the-machine.ts';

export const start = endpoint(startMachine, (call) => begin(call, call.params.machine, 'start'), {
  durable: true,
});

export const stop = endpoint(
  stopMachine,
  async (call) => {
    const begun = await begin(call, call.params.machine, 'stop');
    const { hourly, resources } = begun.machine;
    return {
      ...begun,
      billed: hourlyCost({ hourly, publicAddress: resources.publicIp !== undefined }, false),
    };
  },
  { durable: true },
);

export const restart = endpoint(
  restartMachine,
  async (call) => {
    if (!call.query.force)
      await refuseOccupied(await theMachine(call.params.machine, call.services), call.services, {
        verb: 'restarted',
        remedy: `Let them go down and up with it: berth machine restart ${call.params.machine} --force`,
      });
    return await begin(call, call.params.machine, 'restart');
  },
  { durable: true },
);

/** Recorded first: of two who ask for different things one is refused. */
async function begin(
  { services, context }: Pick<Call<unknown, unknown, unknown>, 'services' | 'context'>,
  name: MachineName,
  action: PowerAction,
) {
  const found = await theMachine(name, services);
  const owner = `power-${withSuffix(found.resources.vm, Math.random)}`;
  const changed: Machine | undefined = await services.machines.change(name, (machine) =>
    beginPower(machine, action, owner, services.now()),
  );
  const machine = changed ?? found;
  await df
    .getClient(context)
    .startNew(changePower.name, { instanceId: owner, input: { machine: name, action } });
  return { machine, operation: begunOperation(action, machine, owner, services.now()) };
}
