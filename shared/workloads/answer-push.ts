import { type Digest, parseImageReference, type RepositoryName, type Tag } from '../model/image.ts';
import { tableKey } from '../state/key.ts';
import type { Answering, Cause, Start } from './answer.ts';
import { changeService, isAccepted } from './change-service.ts';
import { startIds } from './start-ids.ts';
import { all } from './stores.ts';

/**
 * A tag now points to a digest: every service with a rule for the tag gets it. The registry is asked what the tag says
 * by now, since events may come in any order: of several pushes the last one counts, whenever it is heard of.
 */
export async function answerPush(
  answering: Answering,
  cause: Cause,
  push: { repository: RepositoryName; tag?: Tag | undefined; digest: Digest },
): Promise<readonly Start[]> {
  const { repository, tag } = push;
  if (tag === undefined) return [];
  const { stores, images } = answering;
  const isStale = async (): Promise<boolean> => {
    const current = await images.resolve({ repository, tag, digest: undefined });
    return current !== undefined && current !== push.digest;
  };
  const [rules, stale] = await Promise.all([
    all(stores.rules.list({ partition: tableKey(repository), from: `${tag}!`, to: `${tag}"` })),
    isStale(),
  ]);
  if (stale) return [];
  const starts = await Promise.all(
    rules.map((key, index) =>
      changeService(answering, cause, key, startIds(cause)(index), async (service) => {
        if (service === undefined || service.removing) return undefined;
        const reference = parseImageReference(service.spec.image);
        if (reference.repository !== repository || reference.tag !== tag) return undefined;
        if (isAccepted(service, service.spec, push.digest)) return undefined;
        // Asked again after the row was read: a later push that is in the row already has also moved the tag.
        if (await isStale()) return undefined;
        return { service, accept: { spec: service.spec, digest: push.digest } };
      }),
    ),
  );
  return starts.filter((start) => start !== undefined);
}
