import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { HttpRequest } from '@azure/functions';
import { addressOf } from '../../../shared/auth/rate-limit/address.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import type { Services } from '../../services.ts';

/**
 * Who is to reach a machine: as asked, or the address that the request comes from. Somebody on the app's own computer
 * comes to machines from where the app does.
 * @throws Terminal `caller-address-unknown`
 */
export function admitted(
  asked: readonly string[] | undefined,
  request: HttpRequest,
  { settings }: Pick<Services, 'settings'>,
): readonly string[] {
  if (asked !== undefined) return asked;
  const address = addressOf(request.headers.get('x-forwarded-for'));
  if (address !== undefined && isOwn(address)) return [settings.appNetwork];
  if (address !== undefined && isIPv4(address)) return [`${address}/32`];
  throw new Terminal({
    code: 'caller-address-unknown',
    message:
      address === undefined
        ? 'The address that this request comes from is not known, so it cannot be admitted to the machine.'
        : `This request comes from ${address}, and machines are reached by IPv4 alone.`,
    remedy: 'Say who is admitted: --allow-from 203.0.113.7, or "allowFrom": ["203.0.113.7"].',
  });
}

/** Whether an address is of this computer itself. */
const isOwn = (address: string): boolean =>
  address.startsWith('127.') ||
  Object.values(networkInterfaces()).some((own) => own?.some((one) => one.address === address));
