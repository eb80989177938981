import { randomUUID } from 'node:crypto';
import { invalidParameter } from '../requests/arm-error.ts';
import type { VirtualMachineBody } from './virtual-machine-body.ts';

type Identity = VirtualMachineBody['identity'];

/** The identity as GET shows it: Azure makes the principal, which stays for the VM's life. */
export function acceptIdentity(
  identity: Identity,
  tenant: string,
  before: string | undefined,
): { readonly identity: object | undefined; readonly principalId: string | undefined } {
  if (identity === undefined || identity.type.toLowerCase() === 'none')
    return { identity: undefined, principalId: undefined };
  const kinds = identity.type.split(',').map((kind) => kind.trim().toLowerCase());
  if (kinds.some((kind) => kind !== 'systemassigned' && kind !== 'userassigned'))
    throw invalidParameter(
      'identity.type',
      `Expected SystemAssigned, UserAssigned or both; found ${identity.type}.`,
    );
  const principalId = kinds.includes('systemassigned') ? (before ?? randomUUID()) : undefined;
  const assigned = Object.keys(identity.userAssignedIdentities ?? {});
  if (kinds.includes('userassigned') && assigned.length === 0)
    throw invalidParameter('identity.userAssignedIdentities', 'At least one identity must be named.');
  return {
    principalId,
    identity: {
      type: identity.type,
      ...(principalId === undefined ? {} : { principalId, tenantId: tenant }),
      ...(assigned.length === 0 ? {} : { userAssignedIdentities: identity.userAssignedIdentities }),
    },
  };
}
