import { Terminal } from '../shared/model/errors.ts';
import { type ImageReference, parseImageReference } from '../shared/model/image.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import type { Session } from './session.ts';

/** The name without the registry's own host, which may stand before it, as docker wants it. */
function withoutHost({ client }: Pick<Session, 'client'>, text: string): string {
  const host = client.connection.registries.find((name) => text.startsWith(`${name}/`));
  return host === undefined ? text : text.slice(host.length + 1);
}

/**
 * An image as users write it: `shop/web:1`, `shop/web@sha256:…`; the registry's own host may stand before it. Without tag and
 * digest it is `latest`.
 * @throws Failure `image-reference-invalid`
 */
export function imageNamed(session: Pick<Session, 'client'>, text: string): ImageReference {
  try {
    return parseImageReference(withoutHost(session, text));
  } catch (error) {
    if (!(error instanceof Terminal)) throw error;
    const { code, message, remedy } = error;
    throw new Failure({ code, message, remedy, exitCode: exitCodes.usage });
  }
}

/** The reference that routes take: a digest comes before a tag. */
export const referenceOf = ({ tag, digest }: ImageReference): string => digest ?? tag ?? 'latest';

export const imageText = ({ repository, tag, digest }: ImageReference): string =>
  `${repository}${digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`}`;

/** The tag of what was to be a tag alone. @throws Failure `tag-missing` */
export function tagOf({ tag, digest }: ImageReference, text: string): string {
  if (tag !== undefined && digest === undefined) return tag;
  throw new Failure({
    code: 'tag-missing',
    message: `"${text}" is no tag: expected repository:tag.`,
    remedy: 'Leave the digest out.',
    exitCode: exitCodes.usage,
  });
}

/** A repository of which a tag may be named, and none is `latest`. @throws Failure `image-reference-invalid`, `tag-missing` */
export function tagsNamed(
  session: Pick<Session, 'client'>,
  text: string,
): { readonly repository: string; readonly tag?: string } {
  const image = imageNamed(session, text);
  const { repository } = image;
  return /[:@]/.test(withoutHost(session, text)) ? { repository, tag: tagOf(image, text) } : { repository };
}
