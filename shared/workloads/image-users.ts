import type { SidecarSpec } from '../model/application.ts';
import { type Digest, parseImageReference, type RepositoryName } from '../model/image.ts';
import { jobId } from '../model/job.ts';
import { type Revision, serviceId } from '../model/service.ts';
import type { ImageResolver } from './image-resolver.ts';
import { placeOf, type Stores } from './stores.ts';

/** Something that runs an image, or is about to. */
export interface ImageUser {
  readonly kind: 'service' | 'job' | 'run';
  /** `dev.shop.web`; of a run, its job's and its own. */
  readonly name: string;
  readonly repository: RepositoryName;
  readonly digest: Digest;
}

/** Images of a revision: its own, and those of its sidecars. */
export const imagesOf = ({ spec, digest }: Revision): readonly { image: string; digest: Digest }[] => [
  { image: spec.image, digest },
  ...Object.values<SidecarSpec>(spec.sidecars ?? {}).flatMap((sidecar) =>
    sidecar.digest === undefined ? [] : [{ image: sidecar.image, digest: sidecar.digest }],
  ),
];

/**
 * Everything that runs an image of the repository: the newest accepted revision of each service and the one that serves, the
 * jobs as their image is now, and runs that have not ended.
 */
export async function imageUsers(
  { services, revisions, jobs, runs }: Stores,
  images: ImageResolver,
  repository: RepositoryName,
): Promise<readonly ImageUser[]> {
  const found: ImageUser[] = [];
  const isOfRepository = (image: string): boolean => parseImageReference(image).repository === repository;
  for await (const { value } of services.list({})) {
    const name = serviceId(value.key);
    const serving =
      value.healthyRevision === undefined || value.healthyRevision === value.accepted?.number
        ? undefined
        : (await revisions.get(...placeOf.revision(value.key, value.healthyRevision)))?.value;
    for (const revision of [value.accepted, serving])
      for (const { image, digest } of revision === undefined ? [] : imagesOf(revision))
        if (isOfRepository(image)) found.push({ kind: 'service', name, repository, digest });
  }
  for await (const { value } of jobs.list({})) {
    const name = jobId(value.key);
    if (isOfRepository(value.spec.image)) {
      const digest = await images.resolve(parseImageReference(value.spec.image));
      if (digest !== undefined) found.push({ kind: 'job', name, repository, digest });
    }
    for await (const { value: run } of runs.list({ partition: name }))
      if (
        (run.status.state === 'pending' || run.status.state === 'running') &&
        run.digest !== undefined &&
        isOfRepository(run.spec.image)
      )
        found.push({ kind: 'run', name: `${name} ${run.id}`, repository, digest: run.digest });
  }
  return found;
}
