import type { Credentials } from '../auth/credentials.ts';
import type { Limits } from '../auth/rate-limit/limits.ts';
import type { CloudEvent } from '../model/cloud-event.ts';
import { Digest, type RepositoryName } from '../model/image.ts';
import type { SubscriptionName } from '../model/subscription.ts';
import type { Blobs } from '../state/blobs.ts';
import type { Tables } from '../state/tables.ts';
import type { Access } from './access.ts';
import { RegistryError } from './errors.ts';
import type { Policies } from './policy/policy-store.ts';
import type { Recorder } from './record.ts';
import type { Pause } from './retrying.ts';
import type { Mirror } from './sources/mirror.ts';
import type { Feed } from './subscriptions/feed.ts';
import type { RegistryTokens } from './tokens.ts';

/** What was done in a repository and is to be passed on. */
export interface Heard {
  readonly feed: Feed;
  /** Pushes of tags, to be stored elsewhere: services are rolled out for them. */
  readonly pushes: readonly CloudEvent[];
  /** Subscriptions in whose queue something stands, to be delivered. */
  readonly subscriptions: readonly SubscriptionName[];
}

/** What the registry is made of. */
export interface RegistryDeps {
  /** A container of its own. */
  readonly blobs: Blobs;
  readonly tables: Tables;
  readonly tokens: RegistryTokens;
  readonly credentials: Credentials;
  readonly policies: Policies;
  readonly now: () => Date;
  /** How often callers may ask; absent: as often as they like. */
  readonly limits?: Limits | undefined;
  readonly recorder: Recorder;
  /** Repositories that are copies of other registries'; absent where there are none. */
  readonly mirror?: Mirror | undefined;
  /** Takes over what was done; what it throws is reported, and `leftBehind` finds it again. */
  readonly onActivity: (heard: Heard) => Promise<void>;
  /** How to wait while others change the same rows; absent: by the clock. */
  readonly pause?: Pause | undefined;
  /** Told of errors that a client only sees as status 500. */
  readonly report: (error: unknown) => void;
}

/** Who asks, as the token says it. */
export interface Caller {
  /** Principal's id; `anonymous` without a credential. */
  readonly id: string;
  /** All that the token gives. */
  readonly access: readonly Access[];
  /** Where the request came from, as the nearest proxy says it. */
  readonly address: string | undefined;
}

/** One request whose route, name and right were checked. */
export interface Call {
  readonly request: Request;
  readonly url: URL;
  readonly repository: RepositoryName;
  /** Last part of the path: a tag, a digest, an upload's id; empty where the route has none. */
  readonly reference: string;
  readonly caller: Caller;
}

export type Handler = (deps: RegistryDeps, call: Call) => Promise<Response>;

/** @throws RegistryError DIGEST_INVALID */
export function parseDigest(text: string | null): Digest {
  const digest = Digest.safeParse(text);
  if (!digest.success)
    throw new RegistryError(
      'DIGEST_INVALID',
      `"${text ?? ''}" is no digest: expected sha256:<64 hex digits> or sha512:<128 hex digits>`,
    );
  return digest.data;
}

export const isHead = (request: Request): boolean => request.method === 'HEAD';
