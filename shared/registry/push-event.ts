import type { CloudEvent } from '../model/cloud-event.ts';
import type { RepositoryName } from '../model/image.ts';
import { Conflict, type Tables } from '../state/tables.ts';
import { partitionOf, REGISTRY } from './repository.ts';

/**
 * The number that makes a push's event differ from every other of its tag. It is the time, in milliseconds, unless that is
 * not larger than the last: so it grows also after the tag was deleted, or after storage forgot its last moments.
 */
export const nextCounter = (last: number | undefined, now: Date): number =>
  Math.max((last ?? 0) + 1, now.getTime());

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
