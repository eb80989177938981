import type { HttpRequest } from '@azure/functions';
import { Terminal } from '../../shared/model/errors.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { MachineName } from '../../shared/model/names.ts';
import type { Services } from '../services.ts';

/**
 * The record of the machine that is calling, which its token proves to be the recorded VM.
 * @throws Terminal `machine-token-invalid` (401), `machine-not-found` (404), `machine-not-expected` (403)
 */
export async function callingMachine(
  request: HttpRequest,
  made: Pick<Services, 'machines' | 'machineTokens'>,
): Promise<Machine & { readonly address: string }> {
  const caller = await made.machineTokens.resourceOf(request.headers.get('authorization'));
  const name = MachineName.safeParse(request.params['name']).data;
  const machine = name && (await made.machines.get(name));
  if (machine === undefined)
    throw new Terminal({
      code: 'machine-not-found',
      status: 404,
      message: `There is no record of a machine ${request.params['name']}.`,
      remedy: 'Nothing is to be done: a machine without record is removed.',
    });
  if (machine.vmId.toLowerCase() !== caller.toLowerCase())
    throw new Terminal({
      code: 'machine-not-expected',
      status: 403,
      message: `The token is of ${caller}; ${machine.name} is another VM.`,
      remedy: 'A machine speaks for itself only.',
    });
  const { address } = machine;
  if (address === undefined || !EXPECTED.has(machine.status.state))
    throw new Terminal({
      code: 'machine-not-expected',
      status: 403,
      message: `${machine.name} is ${machine.status.state}: nothing is expected of it.`,
      remedy: 'Nothing is to be done: such a machine is removed.',
    });
  return { ...machine, address };
}

const EXPECTED: ReadonlySet<Machine['status']['state']> = new Set(['booting', 'ready', 'silent', 'starting']);
