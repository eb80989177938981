import { z } from 'zod';
import { other, pushesOf, referenceIn, repositoryIn, Seconds, type Told } from './outside-push.ts';

const Data = z.object({
  resources: z.array(
    z.object({ digest: z.string().optional(), tag: z.string().optional(), resource_url: z.string() }),
  ),
  repository: z.object({ repo_full_name: z.string() }),
});
/** https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/ ("Default", "CloudEvents") */
const Payload = z.union([
  z
    .object({
      type: z.string(),
      occur_at: Seconds,
      operator: z.string().optional(),
      event_data: z.unknown(),
    })
    .transform(({ type, occur_at, operator, event_data }) => ({
      isPush: type === 'PUSH_ARTIFACT',
      type,
      at: new Date(occur_at * 1000).toISOString(),
      mark: String(occur_at),
      operator,
      data: event_data,
    })),
  z
    .object({
      specversion: z.literal('1.0'),
      id: z.string().min(1),
      type: z.string(),
      time: z.string().optional(),
      operator: z.string().optional(),
      data: z.unknown(),
    })
    .transform(({ id, type, time, operator, data }) => ({
      isPush: type === 'harbor.artifact.pushed',
      type,
      at: time,
      mark: id,
      operator,
      data,
    })),
]);

export function tellHarbor(payload: unknown, host: string | undefined): Told {
  const { isPush, type, at, mark, operator, data } = Payload.parse(payload);
  if (!isPush) return other(type);
  const { resources, repository } = Data.parse(data);
  const pushes = resources.map(({ digest, tag, resource_url: url }) => ({
    host: host ?? url.split('/')[0] ?? '',
    repository: repositoryIn(repository.repo_full_name),
    ...referenceIn(tag, digest),
    actor: operator,
    at,
    mark,
  }));
  return pushesOf(pushes, 'a push of nothing');
}
