import type { SourceName } from '../../model/names.ts';
import { RegistryCredential } from '../../model/registry-address.ts';
import type { Secrets } from '../../secrets/secrets.ts';
import { documents } from '../../state/documents.ts';
import type { Tables } from '../../state/tables.ts';
import { Source, type SourceSettings } from './source.ts';

/** How long this process goes on with the sources that it read, milliseconds: a change holds everywhere after that. */
const FRESH_MS = 3_000;
const PARTITION = 'source';
const secretOf = (name: SourceName): string => `sources/${name}`;

/** Table `sources`, and their credentials among the secrets. */
export interface SourceStore {
  /** As this process read them a moment ago. */
  known(): Promise<readonly Source[]>;
  list(): Promise<readonly Source[]>;
  get(name: SourceName): Promise<Source | undefined>;
  /** @param credential undefined leaves the one that there is; null takes it away */
  put(
    name: SourceName,
    settings: SourceSettings,
    credential: RegistryCredential | null | undefined,
  ): Promise<Source>;
  /** One that is not there is removed already; what was fetched stays. */
  remove(name: SourceName): Promise<void>;
  /** @throws Terminal `secret-unreadable` */
  credential(source: Source): Promise<RegistryCredential | undefined>;
}

export function sourceStore(tables: Tables, secrets: Secrets, now: () => Date): SourceStore {
  const store = documents(tables, 'sources', Source);
  let read: { readonly at: number; readonly sources: Promise<readonly Source[]> } | undefined;
  const list = async (): Promise<readonly Source[]> => {
    const found: Source[] = [];
    for await (const { value } of store.list({ partition: PARTITION })) found.push(value);
    return found;
  };
  const get: SourceStore['get'] = async (name) => (await store.get(PARTITION, name))?.value;
  return {
    list,
    get,
    known() {
      const at = now().getTime();
      if (read === undefined || at - read.at >= FRESH_MS || at < read.at) {
        const sources = list();
        read = { at, sources };
        // A failure is not kept: the next call reads again.
        sources.catch(() => {
          read = undefined;
        });
      }
      return read.sources;
    },
    async put(name, settings, credential) {
      const before = await get(name);
      // Later than before, since processes know by it that something has changed.
      const at = new Date(
        Math.max(now().getTime(), Date.parse(before?.updatedAt ?? '1970') + 1),
      ).toISOString();
      if (credential === null) await secrets.remove(secretOf(name));
      else if (credential !== undefined)
        await secrets.seal(secretOf(name), new TextEncoder().encode(JSON.stringify(credential)));
      const hasCredential = credential === undefined ? (before?.hasCredential ?? false) : credential !== null;
      const source: Source = {
        ...settings,
        name,
        hasCredential,
        createdAt: before?.createdAt ?? at,
        updatedAt: at,
      };
      await store.upsert(PARTITION, name, source);
      read = undefined;
      return source;
    },
    async remove(name) {
      await store.delete(PARTITION, name);
      await secrets.remove(secretOf(name));
      read = undefined;
    },
    async credential({ name, hasCredential }) {
      const sealed = hasCredential ? await secrets.open(secretOf(name)) : undefined;
      return sealed && RegistryCredential.parse(JSON.parse(new TextDecoder().decode(sealed)));
    },
  };
}
