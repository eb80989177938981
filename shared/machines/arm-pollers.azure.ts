import type { ComputeManagementClient } from '@azure/arm-compute';
import { restorePoller as restoreComputePoller } from '@azure/arm-compute';
import type { NetworkManagementClient } from '@azure/arm-network';
import { restorePoller as restoreNetworkPoller } from '@azure/arm-network';
import { observed, refusal } from './arm-answers.azure.ts';
import type { Operation, Progress } from './cloud.ts';

/** Milliseconds between polls where ARM names none, and the least. */
const USUAL_MS = 2000;
const LEAST_MS = 200;

/** What is used of the SDK's pollers. */
interface Poller {
  readonly isDone: boolean;
  submitted(): Promise<void>;
  poll(): Promise<unknown>;
  serialize(): Promise<string>;
}

export type Started = Pick<Operation, 'kind' | 'name'>;

export const pollAfter = (afterMs: number | undefined): number => Math.max(afterMs ?? USUAL_MS, LEAST_MS);

/**
 * Sends the request of a poller. One that ARM calls quick (Retry-After 0) is polled once more at once, which spares the
 * caller a timer.
 * @throws what the SDK throws, and Retryable
 */
export async function start(started: Started, begin: () => Poller): Promise<Progress> {
  // A poller is also a promise of the operation's end: returned from an async function by itself it would be awaited.
  const { result, afterMs } = await observed(async () => {
    const poller = begin();
    await poller.submitted();
    return { poller };
  });
  const { poller } = result;
  if (!poller.isDone && afterMs === 0) return advance(started, poller);
  return progress(started, poller, afterMs);
}

/** Polls once what `start` answered. */
export async function resume(
  operation: Operation,
  clients: { readonly compute: ComputeManagementClient; readonly network: NetworkManagementClient },
): Promise<Progress> {
  const { compute, network } = clients;
  const isNetwork = /network|nic|public-ip|security-group/.test(operation.kind);
  // The third argument only names the operation in an error message: the state says which it is.
  const poller: Poller = isNetwork
    ? restoreNetworkPoller(network, operation.state, network.networkInterfaces.createOrUpdate)
    : restoreComputePoller(compute, operation.state, compute.virtualMachines.createOrUpdate);
  return advance(operation, poller);
}

async function advance(started: Started, poller: Poller): Promise<Progress> {
  try {
    const { afterMs } = await observed(() => poller.poll());
    return await progress(started, poller, afterMs);
  } catch (error) {
    const { statusCode, ...refused } = refusal(error);
    const gone = statusCode === 404 && started.kind.startsWith('delete-');
    return gone ? { status: 'done' } : refused;
  }
}

async function progress(started: Started, poller: Poller, afterMs: number | undefined): Promise<Progress> {
  // Not the resource: it would stay in the history of the orchestration.
  if (poller.isDone) return { status: 'done' };
  return {
    status: 'going',
    operation: { kind: started.kind, name: started.name, state: await poller.serialize() },
    afterMs: pollAfter(afterMs),
  };
}
