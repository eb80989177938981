import { z } from 'zod';
import { documents } from '../../state/documents.ts';
import { tableKey } from '../../state/key.ts';
import type { Tables } from '../../state/tables.ts';

/** How the certificate of a host by ACME stands. */
export const AcmeRecord = z.object({
  host: z.string(),
  state: z.enum(['asking', 'valid', 'failed']),
  /** No attempt begins before it. */
  nextAt: z.iso.datetime(),
  /** Failed attempts in a row. */
  failures: z.number().int().min(0).default(0),
  /** What the authority said. */
  reason: z.string().optional(),
  notAfter: z.iso.datetime().optional(),
  /** What the authority asks about while an attempt goes on: token and answer. */
  challenge: z.object({ token: z.string(), text: z.string() }).optional(),
});
export type AcmeRecord = z.infer<typeof AcmeRecord>;

export interface AcmeStore {
  list(): Promise<readonly AcmeRecord[]>;
  get(host: string): Promise<AcmeRecord | undefined>;
  put(record: AcmeRecord): Promise<void>;
  /**
   * Takes an attempt: of several that come at once, one does.
   * @param pause milliseconds after so many failures
   * @returns undefined if none is due
   */
  begin(host: string, now: Date, pause: (failures: number) => number): Promise<AcmeRecord | undefined>;
  remove(host: string): Promise<void>;
  /** Token → text. */
  challenges(): Promise<Readonly<Record<string, string>>>;
}

const PARTITION = 'acme';

export function acmeStore(tables: Tables): AcmeStore {
  const records = documents(tables, 'acme', AcmeRecord);
  const store: AcmeStore = {
    async list() {
      const found: AcmeRecord[] = [];
      for await (const { value } of records.list({ partition: PARTITION })) found.push(value);
      return found;
    },
    get: async (host) => (await records.get(PARTITION, tableKey(host)))?.value,
    async put(record) {
      await records.upsert(PARTITION, tableKey(record.host), record);
    },
    async begin(host, now, pause) {
      let begun: AcmeRecord | undefined;
      await records.update(PARTITION, tableKey(host), (current) => {
        begun = undefined;
        if (current !== undefined && Date.parse(current.nextAt) > now.getTime()) return undefined;
        const failures = (current?.failures ?? 0) + 1;
        const nextAt = new Date(now.getTime() + pause(failures)).toISOString();
        const state = current?.state === 'valid' ? 'valid' : 'asking';
        begun = { host, state, failures, nextAt, ...(current?.notAfter && { notAfter: current.notAfter }) };
        return begun;
      });
      return begun;
    },
    remove: (host) => records.delete(PARTITION, tableKey(host)),
    async challenges() {
      const found = (await store.list()).flatMap(({ challenge }) =>
        challenge === undefined ? [] : [[challenge.token, challenge.text] as const],
      );
      return Object.fromEntries(found);
    },
  };
  return store;
}
