import { z } from 'zod';
import { other, pushesOf, referenceIn, repositoryIn, type Told } from './outside-push.ts';

/** https://docs.redhat.com/documentation/red_hat_quay ("Repository events", "Repository push") */
const Payload = z.object({ docker_url: z.string().optional(), updated_tags: z.array(z.string()).optional() });

/** Quay says neither digest nor time, and nothing by which a delivery that is sent again could be known. */
export function tellQuay(payload: unknown, given: string | undefined, now: Date): Told {
  const { docker_url: url = '', updated_tags: tags } = Payload.parse(payload);
  const [host = '', ...name] = url.split('/');
  if (tags === undefined) return other('an event that is no push');
  return pushesOf(
    tags.map((tag) => ({
      host: given ?? host,
      repository: repositoryIn(name.join('/')),
      ...referenceIn(tag),
      mark: String(now.getTime()),
    })),
    'a push of no tag',
  );
}
