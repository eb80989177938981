import type { MachineName } from '../model/names.ts';
import type { Documents, Stored } from '../state/documents.ts';
import type { NetworkSources } from './networks.ts';
import type { NetworkDocument } from './protocol.ts';

/** Less than the sweep takes to come. */
const DEAF_MS = 10_000;

/** How machines are told what changed. */
export interface Telling {
  /** Tells what was just written, and records who is behind. */
  spread<Row extends { readonly version: number; readonly behind: MachineName[] }>(
    store: Documents<Row>,
    stored: Stored<Row>,
    document: NetworkDocument,
  ): Promise<void>;
  /** The machine is there again. */
  forgive(name: MachineName): void;
}

export function telling({
  machines,
  receivers,
  now,
}: Pick<NetworkSources, 'machines' | 'receivers' | 'now'>): Telling {
  /** Machines that did not take something, and until when they are not asked again: who waits for the others goes on. */
  const deaf = new Map<MachineName, number>();

  /** Machines that are not ready ask when they are. @returns those that should have taken it and did not */
  const tell = async (
    document: NetworkDocument,
    names: readonly MachineName[],
  ): Promise<readonly MachineName[]> => {
    if (names.length === 0) return [];
    const wanted = (await machines.list()).filter(({ name }) => names.includes(name));
    const results = await Promise.all(
      wanted.map(async ({ name, address, status }) => {
        if (address === undefined || status.state !== 'ready') return undefined;
        if ((deaf.get(name) ?? 0) > now().getTime()) return name;
        try {
          await receivers.tell({ name, address }, document);
          deaf.delete(name);
          return undefined;
        } catch {
          deaf.set(name, now().getTime() + DEAF_MS);
          return name;
        }
      }),
    );
    return results.filter((name) => name !== undefined);
  };

  return {
    async spread(store, stored, document) {
      const behind = await tell(document, stored.value.behind);
      await store.update(stored.partition, stored.row, (current) =>
        current?.version === stored.value.version ? { ...current, behind: [...behind] } : undefined,
      );
    },
    forgive: (name) => void deaf.delete(name),
  };
}
