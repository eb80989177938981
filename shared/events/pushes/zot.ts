import { z } from 'zod';
import { hostMissing, other, pushesOf, referenceIn, repositoryIn, type Told } from './outside-push.ts';

const Attributes = z.object({
  id: z.string().min(1),
  type: z.string(),
  time: z.string().optional(),
});
const Data = z.object({
  name: z.string(),
  reference: z.string(),
  digest: z.string().optional(),
  mediaType: z.string().optional(),
  actor: z.object({ name: z.string().optional() }).nullish(),
});

/**
 * zot's CloudEvents, in binary mode (attributes in `ce-` headers, the body is the data) or in structured mode. They do not say which
 * registry it is.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
export function tellZot(
  payload: unknown,
  host: string | undefined,
  headerOf: (name: string) => string | null,
): Told {
  const isBinary = headerOf('ce-specversion') !== null;
  const { id, type, time } = Attributes.parse(
    isBinary
      ? { id: headerOf('ce-id'), type: headerOf('ce-type'), time: headerOf('ce-time') ?? undefined }
      : payload,
  );
  if (type !== 'zotregistry.image.updated') return other(type);
  if (host === undefined) throw hostMissing('the name of its host');
  const { name, reference, digest, mediaType, actor } = Data.parse(
    isBinary ? payload : z.object({ data: z.unknown() }).parse(payload).data,
  );
  return pushesOf(
    [
      {
        host,
        repository: repositoryIn(name),
        ...referenceIn(reference, digest),
        mediaType,
        actor: actor?.name,
        at: time,
        mark: id,
      },
    ],
    '',
  );
}
