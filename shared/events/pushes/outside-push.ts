import { z } from 'zod';
import { Terminal } from '../../model/errors.ts';
import { Digest, RepositoryName, Tag } from '../../model/image.ts';

/** Who sends webhooks of pushes, each in a shape of its own. */
export const PushSender = z.enum([
  'docker-hub',
  'acr',
  'event-grid',
  'harbor',
  'github',
  'distribution',
  'zot',
  'quay',
]);
export type PushSender = z.infer<typeof PushSender>;

/** A manifest that was pushed to a registry elsewhere. */
export interface OutsidePush {
  /** Host of the registry, as image references have it. */
  readonly host: string;
  readonly repository: RepositoryName;
  readonly tag: Tag | undefined;
  /** Docker Hub and Quay do not say it. */
  readonly digest: Digest | undefined;
  readonly mediaType?: string | undefined;
  readonly size?: number | undefined;
  /** Who pushed, as the sender calls them. */
  readonly actor?: string | undefined;
  /** RFC 3339; absent where the sender does not say it. */
  readonly at?: string | undefined;
  /** What makes this push differ from another of the same tag, the same when it is sent again. */
  readonly mark: string;
}

/** What a delivery tells. */
export type Told =
  | { readonly told: 'pushes'; readonly pushes: readonly [OutsidePush, ...OutsidePush[]] }
  /** It is of the sender, but of something else. */
  | { readonly told: 'other'; readonly what: string }
  /** Event Grid asks whether this is meant to be sent its events. */
  | { readonly told: 'validation'; readonly code: string };

export const other = (what: string): Told => ({ told: 'other', what });

/** Host of a registry, with a port if it has one. */
export const RegistryHost = z
  .string()
  .max(255)
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$/,
    'expected a host, with a port if it has one',
  );

/** Seconds of Unix time, up to the year 9999. */
export const Seconds = z.number().int().min(0).max(253_402_300_799);

/** What is checked of every sender alike: it stands in the event's source, id and data. */
const Facts = z.looseObject({
  host: RegistryHost,
  mark: z.string().min(1).max(300),
  mediaType: z.string().max(255).optional(),
  size: z.number().int().nonnegative().optional(),
  actor: z.string().max(255).optional(),
});

/** @throws ZodError where a push says what no registry would */
export const pushesOf = (pushes: readonly OutsidePush[], none: string): Told => {
  for (const push of pushes) Facts.parse(push);
  const [first, ...rest] = pushes;
  return first === undefined ? other(none) : { told: 'pushes', pushes: [first, ...rest] };
};

/** Repositories' names are lower-case; GitHub writes owners as they write themselves. */
export const repositoryIn = (name: string): RepositoryName =>
  Named.parse({ repository: name.toLowerCase() }).repository;

/** The names by which a fault in one of them is told. */
const Named = z.object({ repository: RepositoryName });
const Referred = z.object({ tag: Tag.optional(), digest: Digest.optional() });

/** A tag, or a digest where the sender puts one in a tag's place; neither where it is empty. */
export function referenceIn(
  text: string | undefined,
  digest?: string | undefined,
): { readonly tag: Tag | undefined; readonly digest: Digest | undefined } {
  const isTag = text !== undefined && text !== '' && !text.includes(':');
  const inPlace = text?.includes(':') === true ? text : undefined;
  const { tag, digest: given } = Referred.parse({ tag: isTag ? text : undefined, digest: digest ?? inPlace });
  return { tag, digest: given };
}

export const hostMissing = (where: string): Terminal =>
  new Terminal({
    code: 'push-host-unknown',
    message: `The delivery does not say which registry it comes from: ${where} is missing.`,
    remedy:
      'Make the hook again with "host", for example {"pushes":{"from":"zot","host":"zot.example.com"}}.',
  });
