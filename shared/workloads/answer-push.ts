import { type Digest, parseImageReference, type RepositoryName, type Tag } from '../model/image.ts';
import type { ServiceKey } from '../model/service.ts';
import { tableKey } from '../state/key.ts';
import { acceptImage } from './accept-image.ts';
import type { Answering, Cause, Start } from './answer.ts';
import { changeService } from './change-service.ts';
import { startIds } from './start-ids.ts';
import { all } from './stores.ts';

interface Push {
  readonly repository: RepositoryName;
  readonly tag?: Tag | undefined;
  readonly digest: Digest;
  /** The image that the manifest says it is about. */
  readonly subject?: Digest | undefined;
}

/**
 * A tag now points to a digest, or a digest is there: every service with a rule for either gets it. The registry is asked
 * what the tag says by now, since events may come in any order: of several pushes the last one counts, whenever it is
 * heard of. What was pushed may also be a signature: then services that want the image that it is of are asked again.
 */
export async function answerPush(answering: Answering, cause: Cause, push: Push): Promise<readonly Start[]> {
  const { repository, tag, digest } = push;
  const [byTag, byDigest, subject] = await Promise.all([
    tag === undefined ? [] : rulesFor(answering, repository, tag),
    rulesFor(answering, repository, digest),
    answering.trust.subjectOf(push),
  ]);
  const keys = tag !== undefined && (await isStale(answering, push)) ? byDigest : [...byTag, ...byDigest];
  const idOf = startIds(cause);
  const starts = await Promise.all(
    keys.map((key, index) =>
      changeService(answering, cause, key, idOf(index), async (service) => {
        if (service === undefined || service.removing) return undefined;
        const reference = parseImageReference(service.spec.image);
        if (reference.repository !== repository) return undefined;
        if (reference.digest === undefined ? reference.tag !== tag : reference.digest !== digest)
          return undefined;
        // Asked again after the row was read: a later push that is in the row already has also moved the tag.
        if (reference.digest === undefined && (await isStale(answering, push))) return undefined;
        return acceptImage(answering, cause, service, { spec: service.spec, digest });
      }),
    ),
  );
  const reconsidered =
    subject === undefined
      ? []
      : await reconsider(answering, cause, { repository, digest: subject }, keys.length);
  return [...starts.filter((start) => start !== undefined), ...reconsidered];
}

/**
 * What an image is trusted by has changed: a signature of it was pushed, or its repository has other policies. Services
 * that want it and do not have it are asked again; one that has it, and failed with it, is left alone.
 * @param from number of the first orchestration that may be started for this event
 */
export async function reconsider(
  answering: Answering,
  cause: Cause,
  { repository, digest }: Pick<Push, 'repository' | 'digest'>,
  from = 0,
): Promise<readonly Start[]> {
  const { stores, images } = answering;
  const keys = await all(stores.rules.list({ partition: tableKey(repository) }));
  const idOf = startIds(cause);
  const starts = await Promise.all(
    keys.map((key, index) =>
      changeService(answering, cause, key, idOf(from + index), async (service) => {
        if (service === undefined || service.removing) return undefined;
        if (service.accepted?.digest === digest && service.refused?.digest !== digest) return undefined;
        const reference = parseImageReference(service.spec.image);
        if (reference.repository !== repository || (await images.resolve(reference)) !== digest)
          return undefined;
        return acceptImage(answering, cause, service, { spec: service.spec, digest });
      }),
    ),
  );
  return starts.filter((start) => start !== undefined);
}

const rulesFor = (
  { stores }: Answering,
  repository: RepositoryName,
  name: Tag | Digest,
): Promise<ServiceKey[]> =>
  all(stores.rules.list({ partition: tableKey(repository), from: `${name}!`, to: `${name}"` }));

/** Whether the tag says something else by now. */
async function isStale({ images }: Answering, { repository, tag, digest }: Push): Promise<boolean> {
  const current = await images.resolve({ repository, tag, digest: undefined });
  return current !== undefined && current !== digest;
}
