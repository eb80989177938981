import type { DurableClient } from 'durable-functions';

/**
 * Whether an orchestration has begun and not ended. The client library throws for an instance that is not known, and
 * says so in its message only.
 */
export async function isGoing(client: DurableClient, instanceId: string): Promise<boolean> {
  try {
    const { runtimeStatus } = await client.getStatus(instanceId);
    return ['Running', 'Pending', 'Suspended', 'ContinuedAsNew'].includes(runtimeStatus);
  } catch (error) {
    if (error instanceof Error && error.message.includes('HTTP 404')) return false;
    throw error;
  }
}

/** Raises an external event. @returns false if the instance is not known; one that has ended takes it as if it came late */
export async function raiseEvent(
  client: DurableClient,
  instanceId: string,
  name: string,
  data: unknown,
): Promise<boolean> {
  try {
    await client.raiseEvent(instanceId, name, data);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('No instance with ID')) return false;
    throw error;
  }
}
