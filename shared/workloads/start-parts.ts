import type { ContainerRequest, Engine } from '../docker/engine.ts';
import type { Replica, Revision } from '../model/service.ts';
import { versionsOf, withFiles } from './container-files.ts';
import type { WorkloadPorts } from './ports.ts';
import { labels } from './replica-container.ts';
import { startContainer } from './start-container.ts';

/**
 * Starts a replica's container with everything that it is to find: its files lie there before.
 * @param request the container alone
 * @returns its id, and what the replica's row says of its parts
 */
export async function startParts(
  ports: WorkloadPorts,
  engine: Engine,
  replica: Replica,
  { spec }: Revision,
  request: ContainerRequest,
  needs: Parameters<typeof startContainer>[2],
): Promise<Pick<Replica, 'containerId' | 'secrets'> & { readonly containerId: string }> {
  const whole = await withFiles(ports, engine, replica.key, spec, request);
  const containerId = await startContainer(engine, whole, needs);
  const versions = whole.labels[labels.secrets];
  return { containerId, ...(versions !== undefined && { secrets: { ...versionsOf(versions) } }) };
}
