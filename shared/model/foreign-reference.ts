import { Terminal } from './errors.ts';
import { Digest, RepositoryName, Tag } from './image.ts';
import { canonicalHost, namedAt, urlOfHost } from './registry-address.ts';

/** An image in some registry, as `docker pull` names it. */
export interface ForeignReference {
  /** `docker.io`, `ghcr.io`, `registry.example.com:5000`. */
  readonly host: string;
  readonly repository: RepositoryName;
  readonly tag: Tag | undefined;
  readonly digest: Digest | undefined;
}

/**
 * Parses `[host/]name[:tag][@digest]` as Docker does: the first part is a host if it has a dot or a port or is `localhost`;
 * without a host it is Docker Hub. Without tag and digest the tag is `latest`.
 * @throws Terminal `image-reference-invalid`
 */
export function parseForeignReference(text: string): ForeignReference {
  const match = /^(?<name>[^@]+?)(:(?<tag>[^:/@]+))?(@(?<digest>.+))?$/.exec(text);
  const [first = '', ...rest] = (match?.groups?.name ?? '').split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const host = canonicalHost(hasHost ? first : 'docker.io');
  if (!isHost(host)) throw invalid(text);
  const path = hasHost ? rest.join('/') : [first, ...rest].join('/');
  const repository = RepositoryName.safeParse(namedAt(urlOfHost(host), path));
  const digestText = match?.groups?.digest;
  const tagText = match?.groups?.tag ?? (digestText === undefined ? 'latest' : undefined);
  const digest = digestText === undefined ? undefined : Digest.safeParse(digestText);
  const tag = tagText === undefined ? undefined : Tag.safeParse(tagText);
  if (!repository.success || tag?.success === false || digest?.success === false) throw invalid(text);
  return { host, repository: repository.data, tag: tag?.data, digest: digest?.data };
}

const isHost = (host: string): boolean =>
  /^([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(:\d{1,5})?$/.test(host) && URL.canParse(`https://${host}`);

const invalid = (text: string): Terminal =>
  new Terminal({
    code: 'image-reference-invalid',
    message: `"${text}" is not an image of another registry: expected host/repository:tag or host/repository@sha256:…`,
    remedy: 'Write it as for docker pull, for example docker.io/library/nginx:1.27',
  });

/** As people read it. */
export const foreignText = ({ host, repository, tag, digest }: ForeignReference): string =>
  `${host}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
