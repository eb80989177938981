import { type DurableOrchestrationStatus, getClient } from 'durable-functions';
import { z } from 'zod';
import { getMachineOperation, type MachineOperation } from '../../../shared/api/routes/by-hand.ts';
import { remedyOf } from '../../../shared/machines/launch-failure.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { MachineName } from '../../../shared/model/names.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

type Kind = MachineOperation['kind'];

/** An operation that was just begun. @param operation instance id of its orchestration */
export const begunOperation = (
  kind: Kind,
  { name }: Pick<Machine, 'name'>,
  operation: string,
  now: Date,
): MachineOperation => ({ operation, kind, machine: name, status: 'going', since: now.toISOString() });

export const get = endpoint(
  getMachineOperation,
  async ({ params, services, context }) => {
    const found = await getClient(context)
      .getStatus(params.operation)
      .catch(() => undefined);
    const operation =
      (found && operationOf(params.operation, found)) ?? (await drainOf(params.operation, services));
    if (operation === undefined)
      throw notFound('operation', params.operation, 'Look at the machine itself: berth machine inspect');
    return operation.status === 'failed' ? withRemedy(operation, services) : operation;
  },
  { durable: true },
);

/** The removal of a machine whose replicas move first begins when they have. */
async function drainOf(
  id: string,
  { machines }: Pick<Services, 'machines'>,
): Promise<MachineOperation | undefined> {
  const name = MachineName.safeParse(id.replace(/^retire-/, '')).data;
  const machine = id.startsWith('retire-') && name !== undefined ? await machines.get(name) : undefined;
  if (machine?.cordon?.by !== 'removal') return undefined;
  const { since } = machine.cordon;
  return { operation: id, kind: 'remove', machine: machine.name, status: 'going', step: 'drain', since };
}

const Input = z.object({ machine: z.string(), action: z.enum(['start', 'stop', 'restart']).optional() });
const Output = z.object({ status: z.string(), code: z.string().optional(), reason: z.string().optional() });

/** Which operation an orchestration of machines is; undefined of others. Pure. */
export function operationOf(
  id: string,
  status: Pick<
    DurableOrchestrationStatus,
    'name' | 'input' | 'output' | 'runtimeStatus' | 'customStatus' | 'createdTime'
  >,
): MachineOperation | undefined {
  const input = Input.safeParse(status.input).data;
  const kind = KINDS[status.name] ?? input?.action;
  if (kind === undefined || input === undefined) return undefined;
  const operation = {
    operation: id,
    kind,
    machine: input.machine,
    since: new Date(status.createdTime).toISOString(),
  };
  if (status.runtimeStatus === 'Completed') {
    const { data } = Output.safeParse(status.output);
    if (data?.status !== 'failed') return { ...operation, status: 'done' };
    const { code = 'operation-failed', reason = '' } = data;
    return { ...operation, status: 'failed', code, reason };
  }
  if (ENDED.has(status.runtimeStatus))
    return { ...operation, status: 'failed', code: 'operation-failed', reason: String(status.output) };
  const step = typeof status.customStatus === 'string' ? status.customStatus : undefined;
  return { ...operation, status: 'going', ...(step !== undefined && { step }) };
}

const KINDS: Readonly<Record<string, Kind>> = {
  'provision-machine': 'create',
  'retire-machine': 'remove',
  'admit-callers': 'allow-from',
};
const ENDED: ReadonlySet<string> = new Set(['Failed', 'Terminated', 'Canceled']);

/** A machine's record says best why it failed, and what is to be done. */
async function withRemedy(
  operation: MachineOperation,
  { machines }: Pick<Services, 'machines'>,
): Promise<MachineOperation> {
  const status = (await machines.get(MachineName.parse(operation.machine)))?.status;
  const remedy = remedyOf(operation.code ?? '');
  if (operation.kind !== 'create' || status?.state !== 'failed') return { ...operation, remedy };
  return { ...operation, code: status.code, reason: status.reason, remedy: status.remedy ?? remedy };
}
