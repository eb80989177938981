import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Tables } from '../../../../shared/state/tables.ts';

/** The hosts that share a table, each with a row that it renews. */
export interface Hosts {
  /** Of this process. */
  readonly self: string;
  join(): Promise<void>;
  /** Renews our row and looks at the others'. @returns whether one has died since */
  beat(): Promise<boolean>;
  /** False for a host that left, was killed, or has been silent too long. */
  alive(host: string): boolean;
  leave(): Promise<void>;
}

/** Silent for longer is dead; milliseconds. A host that was only slow finds its work taken: activities run at least once. */
const silence = 15_000;

interface Seen {
  readonly etag: string;
  readonly at: number;
}

export function hosts(tables: Tables, table: string): Hosts {
  const self = randomUUID();
  const machine = placeOf();
  const seen = new Map<string, Seen>();
  const living = new Set<string>([self]);

  const renew = async (): Promise<void> => {
    await tables.commit(table, 'host', [
      { kind: 'upsert', row: self, values: { machine, pid: process.pid, at: new Date().toISOString() } },
    ]);
  };
  /** @returns whether a host has died or left. */
  const look = async (): Promise<boolean> => {
    const found = new Set<string>([self]);
    const dead: string[] = [];
    for await (const { row, etag, values } of tables.list(table, { partition: 'host' })) {
      if (row === self) continue;
      const before = seen.get(row);
      const at = before?.etag === etag ? before.at : Date.now();
      seen.set(row, { etag, at });
      const gone = values.machine === machine && !running(Number(values.pid));
      if (gone || Date.now() - at > silence) dead.push(row);
      else found.add(row);
    }
    const lost = dead.length > 0 || [...living].some((host) => !found.has(host));
    living.clear();
    for (const host of found) living.add(host);
    for (const row of dead)
      await tables.commit(table, 'host', [{ kind: 'delete', row }]).catch(ignoreConflict);
    return lost;
  };
  return {
    self,
    join: async () => {
      await renew();
      await look();
    },
    async beat() {
      await renew();
      return await look();
    },
    alive: (host) => living.has(host),
    leave: async () => {
      await tables.commit(table, 'host', [{ kind: 'delete', row: self }]).catch(ignoreConflict);
    },
  };
}

function ignoreConflict(error: unknown): void {
  if (!(error instanceof Error && error.name === 'Conflict')) throw error;
}

/** Where process ids mean the same: a computer, on Linux also a namespace of it. */
function placeOf(): string {
  try {
    return `${hostname()}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

function running(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
