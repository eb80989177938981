import { randomBytes } from 'node:crypto';
import type { CloudEvent } from '../model/cloud-event.ts';
import type { Digest, RepositoryName, Tag } from '../model/image.ts';
import { documentValues } from '../state/documents.ts';
import type { Write } from '../state/tables.ts';

export type Action = 'push' | 'pull' | 'delete' | 'mount';

/** Who did it, and with which request: what audit and subscribers are told. */
export interface Origin {
  /** Principal's id, `anonymous` without a credential. */
  readonly actor: string;
  readonly address: string | undefined;
  readonly method: string;
  /** Host under which the client reached the registry. */
  readonly host: string;
  readonly userAgent: string | undefined;
}

/** One thing that was done in a repository. */
export interface Activity {
  readonly action: Action;
  readonly repository: RepositoryName;
  /** Absent where it was done by digest. */
  readonly tag: Tag | undefined;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest or blob itself. */
  readonly size: number;
  /** For a push of a tag: its counter, which makes the event's id; otherwise absent. */
  readonly counter?: number;
  /** For a mount: where the blob was found. */
  readonly from?: RepositoryName;
  readonly origin: Origin;
  readonly at: Date;
}

/** Data of the CloudEvent of an activity; types are `dev.berth.registry.<action>`. */
export interface ActivityData {
  readonly repository: string;
  readonly tag?: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  readonly from?: string;
  readonly origin: Origin;
}

/** The event of an activity. Its id is unique within the source `registry/<repository>`. */
export function activityEvent(activity: Activity, nonce = randomBytes(6).toString('hex')): CloudEvent {
  const { action, repository, tag, digest, mediaType, size, counter, from, origin, at } = activity;
  const ofPush = tag === undefined ? digest : `${tag}:${counter ?? at.getTime()}`;
  const data: ActivityData = {
    repository,
    ...(tag === undefined ? {} : { tag }),
    digest,
    mediaType,
    size,
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

/** Row keys of what is kept newest first. */
const LAST_MOMENT = 999_999_999_999_999;

/**
 * What an activity leaves in its repository's partition, in the transaction that does it: the audit row `a!…`, newest first,
 * and, where somebody is to hear of it, the event's row `e!…`, oldest first, until it was passed on.
 */
export function activityWrites(
  event: CloudEvent,
  heard: boolean,
): { readonly writes: readonly Write[]; readonly row: string | undefined } {
  const at = Date.parse(event.time);
  const nonce = randomBytes(6).toString('hex');
  const audit = `a!${String(LAST_MOMENT - at).padStart(15, '0')}!${nonce}`;
  const values = documentValues(event);
  const kept: Write = { kind: 'insert', row: audit, values };
  if (!heard) return { writes: [kept], row: undefined };
  const row = `e!${String(at).padStart(15, '0')}!${nonce}`;
  return { writes: [kept, { kind: 'insert', row, values }], row };
}
