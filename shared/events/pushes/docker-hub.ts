import { z } from 'zod';
import { pushesOf, referenceIn, repositoryIn, Seconds, type Told } from './outside-push.ts';

/** https://docs.docker.com/docker-hub/repos/manage/webhooks/ */
const Payload = z.object({
  push_data: z.object({ pushed_at: Seconds, pusher: z.string().optional(), tag: z.string() }),
  repository: z.object({ repo_name: z.string() }),
});

/** Docker Hub signs nothing and says no digest. */
export function tellDockerHub(payload: unknown): Told {
  const { push_data: push, repository } = Payload.parse(payload);
  const name = repository.repo_name;
  return pushesOf(
    [
      {
        host: 'docker.io',
        repository: repositoryIn(name.includes('/') ? name : `library/${name}`),
        ...referenceIn(push.tag),
        actor: push.pusher,
        at: new Date(push.pushed_at * 1000).toISOString(),
        mark: String(push.pushed_at),
      },
    ],
    '',
  );
}
