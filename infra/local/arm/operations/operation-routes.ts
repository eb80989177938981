import type { Arm } from '../arm.ts';
import { ArmError } from '../requests/arm-error.ts';
import { type ArmReply, type ArmRequest, parameter, type Route } from '../requests/arm-request.ts';
import type { Operation } from './operation.ts';

const PROVIDERS = ['Microsoft.Compute', 'Microsoft.Network', 'Microsoft.Resources'];
const providerOf = (kind: string): string => {
  if (/^(vm|disk|image)\./.test(kind)) return 'Microsoft.Compute';
  return kind.startsWith('group.') ? 'Microsoft.Resources' : 'Microsoft.Network';
};

/** Seconds between polls that ARM asks for: what runs machines takes about a second here, the rest ends at once. */
const retryAfter = (kind: string): string =>
  kind.startsWith('vm.') || kind.startsWith('image.') ? '1' : '0';

/** Headers of an answer that began an operation: https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations */
export const operationHeaders =
  (arm: Arm) =>
  (id: string, request: ArmRequest): Readonly<Record<string, string>> => {
    const kind = arm.operations.get(id)?.kind ?? '';
    const url = `${request.base}/subscriptions/${arm.subscription}/providers/${providerOf(kind)}/locations/${arm.location}`;
    return {
      'Azure-AsyncOperation': `${url}/operations/${id}?api-version=${request.apiVersion}`,
      Location: `${url}/operationResults/${id}?api-version=${request.apiVersion}`,
      'Retry-After': retryAfter(kind),
    };
  };

/** Polls: 200 also for an operation that failed; the Location says 202 until the end. */
export function operationRoutes(arm: Arm): readonly Route[] {
  const find = (request: ArmRequest): Operation => {
    const id = parameter(request, 'operation');
    const found = arm.operations.get(id);
    if (found === undefined)
      throw new ArmError(404, 'OperationNotFound', `The operation '${id}' could not be found.`);
    return found;
  };
  const status = (request: ArmRequest): ArmReply => {
    const operation = find(request);
    const going = operation.status === 'InProgress';
    return {
      status: 200,
      ...(going ? { headers: { 'Retry-After': retryAfter(operation.kind) } } : {}),
      body: {
        name: operation.id,
        startTime: operation.started,
        ...(operation.ended === undefined ? {} : { endTime: operation.ended }),
        status: operation.status,
        ...(operation.failure === undefined ? {} : { error: operation.failure }),
      },
    };
  };
  const result = (request: ArmRequest): ArmReply => {
    const operation = find(request);
    if (operation.status === 'InProgress')
      return {
        status: 202,
        headers: {
          Location: `${request.base}${request.path}?${request.query}`,
          'Retry-After': retryAfter(operation.kind),
        },
      };
    if (operation.failure !== undefined)
      throw new ArmError(409, operation.failure.code, operation.failure.message);
    if (operation.kind.endsWith('.delete')) return { status: 204 };
    return { status: 200, ...(operation.result === undefined ? {} : { body: operation.result }) };
  };
  return PROVIDERS.flatMap((provider): Route[] => {
    const base = `/subscriptions/{subscription}/providers/${provider}/locations/{location}`;
    return [
      { method: 'GET', template: `${base}/operations/{operation}`, handle: status },
      { method: 'GET', template: `${base}/operationResults/{operation}`, handle: result },
    ];
  });
}
