import type { ContainerRequest } from '../docker/engine.ts';
import type { ContainerNetwork } from '../docker/network.ts';
import { optionsOf } from '../model/container-options.ts';
import { jobId, type Run } from '../model/job.ts';
import { labels, pulledImage } from './replica-container.ts';

/** Name of an attempt's container, and of its reservation: one event makes one run, so ids are unique. */
export const runContainerName = (run: Pick<Run, 'id' | 'attempt'>): string => `${run.id}.a${run.attempt}`;

/** Seconds between SIGTERM and SIGKILL when a run's time is over. */
export const RUN_GRACE = 10;

/** The container of one attempt of a run. */
export function runContainer(
  run: Run,
  digest: string,
  registry: string,
  network?: ContainerNetwork,
  gpus: readonly number[] = [],
): ContainerRequest {
  const { key, id, spec } = run;
  return {
    name: runContainerName(run),
    image: pulledImage(registry, spec.image, digest),
    command: spec.command,
    environment: spec.environment,
    labels: {
      [labels.environment]: key.environment,
      [labels.run]: id,
      [labels.job]: jobId(key),
      ...(gpus.length > 0 && { [labels.gpus]: gpus.join() }),
    },
    cpu: spec.resources.cpu,
    memory: spec.resources.memory,
    publish: undefined,
    ...(gpus.length > 0 && { gpus }),
    network,
    stopGrace: RUN_GRACE,
    options: optionsOf(spec),
  };
}
