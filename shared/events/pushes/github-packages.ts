import { z } from 'zod';
import { Digest } from '../../model/image.ts';
import { other, pushesOf, referenceIn, repositoryIn, type Told } from './outside-push.ts';

const Package = z.object({
  package_version: z
    .object({
      version: z.string().optional(),
      container_metadata: z
        .object({
          tag: z.object({ name: z.string().optional(), digest: z.string().optional() }).nullish(),
          manifest: z.object({ media_type: z.string().optional(), size: z.number().optional() }).nullish(),
        })
        .nullish(),
      /** `ghcr.io/owner/name:tag`; the tag may be empty. */
      package_url: z.string().optional(),
    })
    .nullish(),
});
/** Events `registry_package` and `package`: https://docs.github.com/webhooks/webhook-events-and-payloads#registry_package */
const Payload = z.object({
  action: z.string().optional(),
  package: Package.optional(),
  registry_package: Package.optional(),
  sender: z.object({ login: z.string() }).optional(),
});

/** @param delivery X-GitHub-Delivery, which is the same when a delivery is sent again */
export function tellGitHub(payload: unknown, host: string | undefined, delivery: string): Told {
  const { action = 'an event without an action', sender, ...events } = Payload.parse(payload);
  const version = (events.registry_package ?? events.package)?.package_version;
  const url = /^(?<host>[^/]+)\/(?<name>[^:@]+)/.exec(version?.package_url ?? '')?.groups;
  if (action !== 'published' && action !== 'updated') return other(action);
  if (!version?.container_metadata || url?.host === undefined || url.name === undefined)
    return other('a package that is no container image');
  const { tag, manifest } = version.container_metadata;
  // Both are said to be the manifest's; only what is a digest counts.
  const digest = [tag?.digest, version.version].find((text) => Digest.safeParse(text).success);
  const push = {
    host: host ?? url.host.toLowerCase(),
    repository: repositoryIn(url.name),
    ...referenceIn(tag?.name, digest),
    mediaType: manifest?.media_type,
    size: manifest?.size,
    actor: sender?.login,
    mark: delivery,
  };
  if (push.tag === undefined && push.digest === undefined)
    return other('a version without a tag and a digest');
  return pushesOf([push], '');
}
