import type { ContainerRequest, Engine } from '../docker/engine.ts';
import type { Replica, Revision } from '../model/service.ts';
import { versionsOf, withFiles } from './container-files.ts';
import type { WorkloadPorts } from './ports.ts';
import { removeContainer } from './remove-container.ts';
import { labels, serviceLabel } from './replica-container.ts';
import { sidecarsLabel, startSidecars } from './sidecars.ts';
import { startContainer } from './start-container.ts';
import { makeVolumes, mountsOf, volumesOf } from './volumes.ts';

/**
 * Starts a replica's container with everything that it is to find: its volumes and files are there before, and what stands
 * beside it comes after it.
 * @param request the container alone
 * @returns its id, and what the replica's row says of its parts
 */
export async function startParts(
  ports: WorkloadPorts,
  engine: Engine,
  replica: Replica,
  revision: Revision,
  request: ContainerRequest,
  needs: Parameters<typeof startContainer>[2],
): Promise<Pick<Replica, 'containerId' | 'secrets'> & { readonly containerId: string }> {
  const { spec } = revision;
  const { key, slot } = replica;
  if (volumesOf(spec).length > 0) {
    await endOthersOfSlot(ports, engine, replica, revision, request.name);
    await makeVolumes(ports, engine, key, spec, slot);
  }
  const mounts = mountsOf(spec.volumes, key, slot);
  const whole = await withFiles(ports, engine, key, spec, {
    ...request,
    labels: { ...request.labels, ...sidecarsLabel(spec) },
    ...(mounts.length > 0 && { mounts: [...(request.mounts ?? []), ...mounts] }),
  });
  const containerId = await startContainer(engine, whole, needs);
  const beside = await startSidecars(ports, engine, replica, revision, { ...whole, id: containerId });
  const secrets = { ...beside, ...versionsOf(whole.labels[labels.secrets]) };
  return { containerId, ...(Object.keys(secrets).length > 0 && { secrets }) };
}

/** A volume has one writer: whatever else of the slot the engine still has, also without a record, ends before. */
async function endOthersOfSlot(
  ports: WorkloadPorts,
  engine: Engine,
  { key, slot, machine }: Replica,
  { spec }: Revision,
  name: string,
): Promise<void> {
  const found = await engine.list([serviceLabel(key), `${labels.slot}=${slot}`]);
  for (const container of found) {
    if (container.name === name || container.labels[labels.sidecarOf] === name) continue;
    if (container.state.state === 'running') await engine.stop(container.id, spec.stopGrace);
    await removeContainer(ports, engine, container, machine);
  }
}
