import { randomBytes } from 'node:crypto';
import { CloudEvent } from '../model/cloud-event.ts';
import type { Digest, RepositoryName, Tag } from '../model/image.ts';
import { documentOf, documentValues } from '../state/documents.ts';
import { Conflict, type Tables, type Write } from '../state/tables.ts';
import { listRepositories, partitionOf, REGISTRY, rowsOf, settle } from './repository.ts';

/** A push began longer ago than any request lives: what it left is all that it leaves. Milliseconds. */
const OVER = 15 * 60 * 1000;

export interface Push {
  readonly repository: RepositoryName;
  /** Absent for a push by digest. */
  readonly tag: Tag | undefined;
  readonly counter: number;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly at: Date;
}

export function pushEvent({ repository, tag, counter, digest, mediaType, at }: Push): CloudEvent {
  return {
    specversion: '1.0',
    id: tag === undefined ? digest : `${tag}:${counter}`,
    source: `registry/${repository}`,
    type: 'dev.berth.registry.push',
    subject: tag === undefined ? digest : tag,
    time: at.toISOString(),
    datacontenttype: 'application/json',
    data: { repository, ...(tag === undefined ? {} : { tag }), digest, mediaType },
  };
}

/**
 * The number that makes a push's event differ from every other of its tag. It is the time, in milliseconds, unless that is
 * not larger than the last: so it grows also after the tag was deleted, or after storage forgot its last moments.
 */
export const nextCounter = (last: number | undefined, now: Date): number =>
  Math.max((last ?? 0) + 1, now.getTime());

/** Part of the push's transaction: the event exists exactly if the tag does. */
export function eventWrite(event: CloudEvent, at: Date): Write {
  const order = String(at.getTime()).padStart(15, '0');
  const row = `e!${order}!${randomBytes(6).toString('hex')}`;
  return { kind: 'insert', row, values: documentValues(event) };
}

/** An event that stands in a repository until somebody has accepted it. */
export interface UnsentEvent {
  readonly event: CloudEvent;
  /** To be called once the event is stored elsewhere. */
  accepted(): Promise<void>;
}

export function unsentEvent(
  tables: Tables,
  repository: RepositoryName,
  row: string,
  event: CloudEvent,
): UnsentEvent {
  return {
    event,
    async accepted() {
      try {
        await tables.commit(REGISTRY, partitionOf(repository), [{ kind: 'delete', row }]);
      } catch (error) {
        // Gone already: the push itself and a sweep may both have brought it there.
        if (!(error instanceof Conflict)) throw error;
      }
    },
  };
}

/**
 * Events of pushes whose request ended before the event was accepted, oldest first within a repository. Reads one row for
 * each repository, and more only where something was pushed since it was last seen to be settled.
 */
export async function* unsentEvents(tables: Tables, now: Date): AsyncIterable<UnsentEvent> {
  for await (const repository of listRepositories(tables)) {
    if (!repository.unsettled) continue;
    let found = false;
    for await (const row of tables.list(REGISTRY, rowsOf(repository.name, 'e!'))) {
      found = true;
      yield unsentEvent(tables, repository.name, row.row, documentOf(CloudEvent, row.values));
    }
    if (found || now.getTime() - Date.parse(repository.pushedAt) < OVER) continue;
    try {
      await settle(tables, repository);
    } catch (error) {
      // A push began meanwhile.
      if (!(error instanceof Conflict)) throw error;
    }
  }
}
