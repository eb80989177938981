import type { Container, Engine } from '../docker/engine.ts';
import type { WorkloadPorts } from './ports.ts';

/** Removes a container that has ended, after the last of its log was kept. */
export async function removeContainer(
  { keepLog }: Pick<WorkloadPorts, 'keepLog'>,
  engine: Engine,
  container: Pick<Container, 'id' | 'name' | 'labels'>,
  machine: string,
): Promise<void> {
  await keepLog?.(engine, container, machine);
  await engine.remove(container.id);
}
