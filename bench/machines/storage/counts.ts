import { request } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';

/** Requests that storage has answered since its start: `table GET machines`, `blob PUT secrets`, … */
export const StorageCounts = z.record(z.string(), z.number());
export type StorageCounts = z.infer<typeof StorageCounts>;

/** Where the counting storage tells its counts: a socket in the data centre's folder. */
export const countsSocket = (directory: string): string => join(directory, 'counts.sock');

export const readCounts = (directory: string): Promise<StorageCounts> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath: countsSocket(directory), path: '/' }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      resolve(StorageCounts.parse(JSON.parse(text)));
    });
    asked.on('error', reject).end();
  });

/** What came between two readings. */
export const since = (before: StorageCounts, after: StorageCounts): StorageCounts =>
  Object.fromEntries(
    Object.entries(after).flatMap(([name, count]) => {
      const more = count - (before[name] ?? 0);
      return more === 0 ? [] : [[name, more]];
    }),
  );

export const total = (counts: StorageCounts): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Of a request's path behind the account: the table, container or queue; keys and names are left out. */
export const subjectOf = (path: string): string =>
  /^\/[^/]+\/(\$batch|[A-Za-z0-9$-]+)/.exec(path)?.[1] ?? 'account';
