import type { Container, Engine } from '../docker/engine.ts';
import type { SidecarSpec } from '../model/application.ts';
import { optionsOf } from '../model/container-options.ts';
import { Terminal } from '../model/errors.ts';
import { parseImageReference } from '../model/image.ts';
import type { Replica, Revision } from '../model/service.ts';
import { versionsOf, withFiles } from './container-files.ts';
import type { WorkloadPorts } from './ports.ts';
import { removeContainer } from './remove-container.ts';
import { labels, pulledImage } from './replica-container.ts';
import { startContainer } from './start-container.ts';
import { mountsOf } from './volumes.ts';

/** `dev.shop.web.r1.0.g1.proxy` */
export const sidecarName = (container: string, sidecar: string): string => `${container}.${sidecar}`;

/** What the container of a replica says of its sidecars, so that nobody has to look for them. */
export const sidecarsLabel = (spec: Revision['spec']): Readonly<Record<string, string>> => {
  const names = Object.keys(spec.sidecars ?? {});
  return names.length === 0 ? {} : { [labels.sidecars]: names.join() };
};

/**
 * Starts what stands beside a container, in its network and after it. What is there already stays.
 * @returns the versions of the secrets that they were given
 */
export async function startSidecars(
  ports: WorkloadPorts,
  engine: Engine,
  replica: Replica,
  { spec }: Revision,
  main: { readonly id: string; readonly name: string; readonly labels: Readonly<Record<string, string>> },
): Promise<Readonly<Record<string, number>>> {
  const versions: Record<string, number> = {};
  for (const [name, sidecar] of Object.entries<SidecarSpec>(spec.sidecars ?? {})) {
    const image = pulledImage(ports.registry, sidecar.image, digestOf(name, sidecar));
    const token = await ports.pullToken(parseImageReference(sidecar.image).repository);
    await engine.pull(image, token);
    const request = {
      name: sidecarName(main.name, name),
      image,
      command: sidecar.command,
      environment: sidecar.environment,
      labels: {
        ...inherited(main.labels),
        [labels.sidecar]: name,
        [labels.sidecarOf]: main.name,
        // Another container of the same name has another network.
        [labels.networkOf]: main.id,
      },
      cpu: sidecar.resources.cpu,
      memory: sidecar.resources.memory,
      publish: undefined,
      stopGrace: spec.stopGrace,
      options: optionsOf(sidecar),
      mounts: mountsOf(sidecar.volumes, replica.key, replica.slot),
      sharesNetworkOf: main.id,
    };
    const whole = await withFiles(ports, engine, replica.key, sidecar, request);
    await startContainer(engine, whole);
    Object.assign(versions, versionsOf(whole.labels[labels.secrets]));
  }
  return versions;
}

const INHERITED: readonly string[] = [
  labels.environment,
  labels.service,
  labels.revision,
  labels.slot,
  labels.generation,
];

const inherited = (given: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(given).filter(([label]) => INHERITED.includes(label)));

function digestOf(name: string, { image, digest }: SidecarSpec) {
  if (digest !== undefined) return digest;
  throw new Terminal({
    code: 'image-not-found',
    status: 404,
    message: `What the image ${image} of the sidecar ${name} meant was not recorded.`,
    remedy: 'Deploy the application again.',
  });
}

/**
 * Ends what stands beside a container that has ended.
 * @param grace seconds between SIGTERM and SIGKILL
 */
export async function removeSidecars(
  ports: Pick<WorkloadPorts, 'keepLog'>,
  engine: Engine,
  main: Pick<Container, 'name' | 'labels'>,
  machine: string,
  grace: number,
): Promise<void> {
  const names = main.labels[labels.sidecars]?.split(',') ?? [];
  // The last one first: what was started later may need what was there before.
  for (const name of names.reverse()) {
    const sidecar = await engine.inspect(sidecarName(main.name, name));
    if (sidecar === undefined) continue;
    if (sidecar.state.state === 'running' && grace > 0) await engine.stop(sidecar.id, grace);
    await removeContainer(ports, engine, sidecar, machine);
  }
}
