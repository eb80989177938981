import * as df from 'durable-functions';
import { createMachine, planMachine } from '../../../shared/api/routes/by-hand.ts';
import { customDataSecret } from '../../../shared/machines/by-hand/custom-data-secret.ts';
import { BY_HAND } from '../../../shared/machines/machine-names.ts';
import { provisionMachine } from '../../../shared/machines/provisioning.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { MachineName } from '../../../shared/model/names.ts';
import { PoolSpec } from '../../../shared/model/pool.ts';
import { decideHandMade } from '../../decide-hand-made.ts';
import { isGoing } from '../../instances.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { admitted } from './admitted.ts';
import { begunOperation } from './machine-operations.ts';

export const plan = endpoint(planMachine, async ({ body, request, services }) => {
  const { plan } = await decideHandMade(body, admitted(body.allowFrom, request, services), services);
  const existing = await services.machines.get(MachineName.parse(body.name));
  if (existing !== undefined) refuseTaken(existing);
  return { plan };
});

export const create = endpoint(
  createMachine,
  async ({ body, request, principal, services, context }) => {
    const key = request.headers.get('idempotency-key') ?? undefined;
    const { plan, record } = await decideHandMade(
      body,
      admitted(body.allowFrom, request, services),
      services,
    );
    const machine = await recorded(record(key, principal?.id ?? ''), key, services);
    const client = df.getClient(context);
    // A repeated request finds the record, and an orchestration that a crash kept from beginning.
    if (machine.status.state === 'provisioning' && !(await isGoing(client, machine.owner))) {
      // Only who has the name seals under it: of two who ask at once, one is refused and may leave nothing.
      if (body.customData !== undefined)
        await services.secrets.seal(
          customDataSecret(machine.name),
          new TextEncoder().encode(body.customData),
        );
      await client.startNew(provisionMachine.name, {
        instanceId: machine.owner,
        input: {
          pool: BY_HAND,
          machine: machine.name,
          spec: PoolSpec.parse({
            sizes: [machine.size],
            image: machine.image,
            registerWithin: REGISTERED_WITHIN,
          }),
          needs: { cpu: 0, memory: 0 },
          cause: `api ${principal?.id ?? ''}`,
        },
      });
    }
    return { machine, plan, operation: begunOperation('create', machine, machine.owner, services.now()) };
  },
  { durable: true },
);

/** Seconds: cloud-init data of the user may install much before ours ends. */
const REGISTERED_WITHIN = 1_200;

/**
 * Records the machine, or finds what this request recorded before.
 * @throws Terminal `machine-exists` (409)
 */
async function recorded(
  wanted: Machine,
  key: string | undefined,
  { machines }: Pick<Services, 'machines'>,
): Promise<Machine> {
  const { name } = wanted;
  const existing = await machines.get(name);
  if (existing !== undefined && key !== undefined && existing.hand?.request === key) return existing;
  if (existing !== undefined) refuseTaken(existing);
  const replaced =
    existing && (await machines.change(name, (current) => (isFree(current) ? wanted : undefined)));
  const recorded = replaced ?? (await machines.add(wanted));
  if (recorded.resources.vm === wanted.resources.vm) return recorded;
  throw taken(recorded);
}

/** @throws Terminal `machine-exists` (409) */
function refuseTaken(machine: Machine): void {
  if (!isFree(machine)) throw taken(machine);
}

/** The name of a machine that failed, and of which nothing is left, is free. */
const isFree = ({ status, leftovers }: Machine): boolean =>
  status.state === 'failed' && leftovers.length === 0;

const taken = ({ name, status }: Machine): Terminal =>
  new Terminal({
    code: 'machine-exists',
    status: 409,
    message: `There is a machine ${name} already; it is ${status.state}.`,
    remedy: `Choose another name, or remove it first: berth machine rm ${name}`,
  });
