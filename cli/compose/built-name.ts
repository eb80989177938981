import { parseForeignReference } from '../../shared/model/foreign-reference.ts';
import { type ImageReference, parseImageReference } from '../../shared/model/image.ts';

/**
 * What an image is called here that is built for a service: as the compose file calls it, without a host; otherwise
 * `application/service`.
 * @param hosts of Berth's registry
 * @throws Terminal `image-reference-invalid`
 */
export function builtName(
  application: string,
  service: string,
  image: string | undefined,
  hosts: readonly string[],
): ImageReference {
  if (image === undefined) return parseImageReference(`${application}/${service}`);
  const host = hosts.find((name) => image.startsWith(`${name}/`));
  if (host !== undefined) return parseImageReference(image.slice(host.length + 1));
  const { repository, tag } = parseForeignReference(image);
  // `web` alone is not one of Docker Hub's own images when it is built here.
  const name = image.includes('/') ? repository : repository.replace(/^library\//, '');
  return parseImageReference(`${name}:${tag ?? 'latest'}`);
}
