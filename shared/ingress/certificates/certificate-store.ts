import { z } from 'zod';
import type { Secrets } from '../../secrets/secrets.ts';
import { documents } from '../../state/documents.ts';
import { tableKey } from '../../state/key.ts';
import type { Tables } from '../../state/tables.ts';

/** What is known of a certificate besides its key. Names of those by ACME begin with `acme-`, which no given one has. */
export const CertificateRecord = z.object({
  name: z.string(),
  /** Names that it is good for. */
  hosts: z.array(z.string()),
  /** SHA-256 of the first certificate, hex. */
  fingerprint: z.string(),
  issuer: z.string(),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
});
export type CertificateRecord = z.infer<typeof CertificateRecord>;

export interface CertificateStore {
  list(): Promise<readonly CertificateRecord[]>;
  get(name: string): Promise<CertificateRecord | undefined>;
  /** @param pem certificates, the host's own first, and its key: sealed */
  put(record: CertificateRecord, pem: string): Promise<void>;
  pem(name: string): Promise<string | undefined>;
  remove(name: string): Promise<void>;
}

const PARTITION = 'certificate';
const secretOf = (name: string): string => `certificates/${name}`;

export function certificateStore(tables: Tables, secrets: Secrets): CertificateStore {
  const records = documents(tables, 'certificates', CertificateRecord);
  return {
    async list() {
      const found: CertificateRecord[] = [];
      for await (const { value } of records.list({ partition: PARTITION })) found.push(value);
      return found;
    },
    get: async (name) => (await records.get(PARTITION, tableKey(name)))?.value,
    async put(record, pem) {
      // The key first: a record without one would be asked for in vain.
      await secrets.seal(secretOf(record.name), new TextEncoder().encode(pem));
      await records.upsert(PARTITION, tableKey(record.name), record);
    },
    async pem(name) {
      const sealed = await secrets.open(secretOf(name));
      return sealed && new TextDecoder().decode(sealed);
    },
    async remove(name) {
      await records.delete(PARTITION, tableKey(name));
      await secrets.remove(secretOf(name));
    },
  };
}
