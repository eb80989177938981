import { type Digest, parseImageReference, type RepositoryName } from '../model/image.ts';
import { jobId } from '../model/job.ts';
import { type Revision, serviceId } from '../model/service.ts';
import type { ImageResolver } from './image-resolver.ts';
import { imagesOf } from './image-users.ts';
import type { Stores } from './stores.ts';

/**
 * Every digest that something runs or may go back to, in any environment, and what: of a service the newest revision, the one
 * that serves and those that its replicas carry; of a job its image as it is now; of a run that has not ended, its own.
 */
export async function runningImages(
  { services, revisions, replicas, jobs, runs }: Stores,
  images: ImageResolver,
): Promise<ReadonlyMap<RepositoryName, ReadonlyMap<Digest, string>>> {
  const found = new Map<RepositoryName, Map<Digest, string>>();
  const add = (image: string, digest: Digest | undefined, user: string): void => {
    if (digest === undefined) return;
    const { repository } = parseImageReference(image);
    const digests = found.get(repository) ?? new Map<Digest, string>();
    digests.set(digest, digests.get(digest) ?? user);
    found.set(repository, digests);
  };
  const addRevision = (revision: Revision): void => {
    for (const { image, digest } of imagesOf(revision))
      add(image, digest, `revision ${revision.number} of ${serviceId(revision.key)}`);
  };

  const carried = new Map<string, Set<number>>();
  for await (const { value } of replicas.list({})) {
    const id = serviceId(value.key);
    carried.set(id, (carried.get(id) ?? new Set()).add(value.revision));
  }
  for await (const { value } of services.list({})) {
    const id = serviceId(value.key);
    if (value.accepted !== undefined) addRevision(value.accepted);
    const kept = new Set([value.revision, value.healthyRevision, ...(carried.get(id) ?? [])]);
    for await (const revision of revisions.list({ partition: id }))
      if (kept.has(revision.value.number)) addRevision(revision.value);
  }
  for await (const { value } of jobs.list({})) {
    const id = jobId(value.key);
    add(value.spec.image, await images.resolve(parseImageReference(value.spec.image)), `job ${id}`);
    for await (const { value: run } of runs.list({ partition: id }))
      if (run.status.state === 'pending' || run.status.state === 'running')
        add(run.spec.image, run.digest, `run ${run.id} of ${id}`);
  }
  return found;
}
