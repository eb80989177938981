import { randomBytes } from 'node:crypto';
import type { CloudEvent } from '../model/cloud-event.ts';
import type { Digest, RepositoryName, Tag } from '../model/image.ts';
import type { Action } from '../model/subscription.ts';
import type { Caller } from './call.ts';

/** Who did it, and with which request: what audit and subscribers are told. */
export interface Origin {
  /** Principal's id, `anonymous` without a credential. */
  readonly actor: string;
  readonly address?: string | undefined;
  readonly method: string;
  /** Host under which the client reached the registry. */
  readonly host: string;
  readonly userAgent?: string | undefined;
}

export const originOf = (call: {
  readonly request: Request;
  readonly url: URL;
  readonly caller: Caller;
}): Origin => ({
  actor: call.caller.id,
  address: call.caller.address,
  method: call.request.method,
  host: call.url.host,
  userAgent: call.request.headers.get('user-agent')?.slice(0, 256),
});

/** One thing that was done in a repository. */
export interface Activity {
  readonly action: Action;
  /** Absent where it was done by digest. */
  readonly tag?: Tag | undefined;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest or blob itself. */
  readonly size: number;
  /** For a push of a tag: its counter, which makes the event's id; otherwise absent. */
  readonly counter?: number;
  /** For a push of a signature, an attestation or the like: the image that it is about. */
  readonly subject?: Digest | undefined;
  /** For a mount: where the blob was found. */
  readonly from?: RepositoryName;
  readonly origin: Origin;
  readonly at: Date;
}

/** Blobs are mounted and deleted; pushes and pulls are those of manifests. */
export const blobActivity = (
  action: 'delete' | 'mount',
  digest: Digest,
  size: number,
  call: Parameters<typeof originOf>[0],
  at: Date,
): Activity => ({
  action,
  digest,
  mediaType: 'application/octet-stream',
  size,
  origin: originOf(call),
  at,
});

/** Data of the CloudEvent of an activity; types are `dev.berth.registry.<action>`. */
export interface ActivityData {
  readonly repository: string;
  readonly tag?: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  /** Digest of the image that a signature, an attestation or the like is about. */
  readonly subject?: string;
  readonly from?: string;
  readonly origin: Origin;
}

/** The event of an activity. Its id is unique within the source `registry/<repository>`. */
export function activityEvent(
  repository: RepositoryName,
  activity: Activity,
  nonce = randomBytes(6).toString('hex'),
): CloudEvent {
  const { action, tag, digest, mediaType, size, counter, subject, from, origin, at } = activity;
  const time = counter ?? at.getTime();
  // A push by digest gives the same event whenever it comes: nothing is different after the second. But what was refused for
  // want of a signature that was deleted is asked about again when that comes back.
  const ofPush = tag !== undefined ? `${tag}:${time}` : subject !== undefined ? `${digest}:${time}` : digest;
  const data: ActivityData = {
    repository,
    ...(tag === undefined ? {} : { tag }),
    digest,
    mediaType,
    size,
    ...(subject === undefined ? {} : { subject }),
    ...(from === undefined ? {} : { from }),
    origin,
  };
  return {
    specversion: '1.0',
    id: action === 'push' ? ofPush : `${action}:${at.getTime()}:${nonce}`,
    source: `registry/${repository}`,
    type: `dev.berth.registry.${action}`,
    subject: tag ?? digest,
    time: at.toISOString(),
    datacontenttype: 'application/json',
    data,
  };
}
