import { documents } from '../../state/documents.ts';
import { tableKey } from '../../state/key.ts';
import type { Tables } from '../../state/tables.ts';
import { Assignment, type Subject } from './assignment.ts';

const PARTITION = 'assignment';
/** How long this process goes on with the assignments that it read, milliseconds: a change holds everywhere after that. */
const FRESH_MS = 3_000;

/** Table `assignments`: one document a subject. */
export interface AssignmentStore {
  /** All, as they were at most three seconds ago. */
  recent(): Promise<readonly Assignment[]>;
  list(): Promise<Assignment[]>;
  put(assignment: Assignment): Promise<void>;
  /** One that is not there is removed already. */
  remove(subject: Subject): Promise<void>;
}

export function assignmentStore(tables: Tables, now: () => Date): AssignmentStore {
  const store = documents(tables, 'assignments', Assignment);
  let read: { readonly at: number; readonly all: Promise<Assignment[]> } | undefined;
  const list = async (): Promise<Assignment[]> => {
    const found: Assignment[] = [];
    for await (const { value } of store.list({ partition: PARTITION })) found.push(value);
    return found;
  };
  return {
    list,
    recent() {
      const at = now().getTime();
      if (read === undefined || Math.abs(at - read.at) >= FRESH_MS) {
        const reading = { at, all: list() };
        read = reading;
        // A failure is not kept: the next call reads again.
        reading.all.catch(() => {
          if (read === reading) read = undefined;
        });
      }
      return read.all;
    },
    async put(assignment) {
      await store.upsert(PARTITION, tableKey(assignment.subject), assignment);
      read = undefined;
    },
    async remove(subject) {
      await store.delete(PARTITION, tableKey(subject));
      read = undefined;
    },
  };
}
