import * as df from 'durable-functions';
import { changeAllowFrom } from '../../../shared/api/routes/by-hand.ts';
import { admitCallers } from '../../../shared/machines/by-hand/admit-callers.ts';
import { withSuffix } from '../../../shared/machines/machine-names.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import { endpoint } from '../endpoint.ts';
import { admitted } from './admitted.ts';
import { begunOperation } from './machine-operations.ts';
import { theMachine } from './the-machine.ts';

export const change = endpoint(
  changeAllowFrom,
  async ({ params, body, request, services, context }) => {
    const found = await theMachine(params.machine, services);
    if (found.hand === undefined)
      throw new Terminal({
        code: 'machine-of-pool',
        status: 409,
        message: `${found.name} belongs to the pool ${found.pool}: only Berth itself reaches such machines.`,
        remedy: 'Make a machine by hand for what is to be reached from outside: berth machine create',
      });
    const allowFrom = [...admitted(body.allowFrom, request, services)];
    const machine =
      (await services.machines.change(found.name, (current) =>
        current.hand === undefined
          ? undefined
          : {
              ...current,
              hand: { ...current.hand, allowFrom, openPorts: body.openPorts ?? current.hand.openPorts },
            },
      )) ?? found;
    const instanceId = `admission-${withSuffix(machine.resources.vm, Math.random)}`;
    await df.getClient(context).startNew(admitCallers.name, { instanceId, input: { machine: machine.name } });
    return { machine, operation: begunOperation('allow-from', machine, instanceId, services.now()) };
  },
  { durable: true },
);
