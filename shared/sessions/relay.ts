import { z } from 'zod';
import { Terminal } from '../model/errors.ts';
import { documentOf, documentValues } from '../state/documents.ts';
import { Conflict, type Tables, type Write } from '../state/tables.ts';
import type { HeldSession, Session, SessionItem } from './session.ts';

/**
 * A session that another instance of the app holds, over table `sessions`: its partition is the session's id; rows `a!…` are for
 * the instance that holds it, rows `o!<seq>` are what came of it, once somebody elsewhere has asked.
 */
const TABLE = 'sessions';
const HEAD = 'head';
const key = (number: number): string => String(number).padStart(12, '0');

export const Head = z.object({
  /** Who began it: nobody else may use it. */
  principal: z.string(),
  /** When the instance that holds it was last there; milliseconds since 1970. */
  aliveAt: z.number(),
});
export type Head = z.infer<typeof Head>;

const Input = z.object({ at: z.number(), data: z.string(), end: z.boolean() });
const Size = z.object({ rows: z.number(), columns: z.number() });
/** `beat` changes while somebody reads, also where nothing comes. */
const Wanted = z.object({ from: z.number(), beat: z.number(), reader: z.string(), since: z.number() });
const Output = z.union([
  z.object({ seq: z.number(), stream: z.enum(['stdout', 'stderr']), data: z.string() }),
  z.object({ seq: z.number(), exit: z.number().nullable(), fault: z.string().optional() }),
]);

/** Between two looks at the table, milliseconds: what a request that came to another instance waits for, at most. */
const LOOK_MS = 200;
/** After this silence of the instance that held it, it is gone. */
const LOST_MS = 20_000;
const ALIVE_MS = 5_000;
const BEAT_MS = 10_000;
/** Rows that were read and can be read again. */
const KEPT_ROWS = 50;
/** Bytes of one output row. */
const ROW_BYTES = 256 * 1024;

type Sleep = (milliseconds: number) => Promise<void>;

export async function writeHead(tables: Tables, id: string, head: Head): Promise<void> {
  await tables.commit(TABLE, id, [{ kind: 'upsert', row: HEAD, values: documentValues(head) }]);
}

export async function readHead(tables: Tables, id: string): Promise<Head | undefined> {
  const row = await tables.read(TABLE, id, HEAD);
  return row && documentOf(Head, row.values);
}

export const isLost = ({ aliveAt }: Head, now: number): boolean => now - aliveAt > LOST_MS;

/** Serves a session that this instance holds to the others, until it is over. */
export async function serveRelay(
  tables: Tables,
  session: HeldSession,
  head: Head,
  goesOn: () => boolean,
  sleep: Sleep,
  now: () => number,
): Promise<void> {
  let alive = head.aliveAt;
  let published = -1;
  let heard = '';
  while (goesOn()) {
    await sleep(LOOK_MS);
    if (now() - alive >= ALIVE_MS) {
      alive = now();
      await writeHead(tables, session.id, { ...head, aliveAt: alive });
    }
    const done: Write[] = [];
    for await (const { row, values, etag } of tables.list(TABLE, {
      partition: session.id,
      from: 'a!',
      to: 'a"',
    })) {
      if (row === 'a!wanted') {
        const { from } = documentOf(Wanted, values);
        if (etag !== heard) session.read(from);
        heard = etag;
        published = await publish(tables, session, from, published);
        continue;
      }
      if (row === 'a!size') await session.resize(documentOf(Size, values));
      else if (row === 'a!close') await session.close();
      else {
        const { at, data, end } = documentOf(Input, values);
        await session.input(at, Buffer.from(data, 'base64'), end);
      }
      done.push({ kind: 'delete', row });
    }
    if (done.length > 0)
      await tables.commit(TABLE, session.id, done.slice(0, 100)).catch((error: unknown) => {
        if (!(error instanceof Conflict)) throw error;
      });
  }
}

/** Writes what has come since, and removes what was read. @returns the last that stands there */
async function publish(
  tables: Tables,
  session: HeldSession,
  from: number,
  published: number,
): Promise<number> {
  // Some are left for a reader that lost its connection and comes again.
  const range = { partition: session.id, from: 'o!', to: `o!${key(Math.max(0, from - KEPT_ROWS))}` };
  for await (const { row } of tables.list(TABLE, range))
    await tables.commit(TABLE, session.id, [{ kind: 'delete', row }]);
  for (const item of session.present(Math.max(from, published + 1))) {
    const value =
      'bytes' in item
        ? { seq: item.seq, stream: item.stream, data: base64(item.bytes) }
        : { seq: item.seq, exit: item.exit ?? null, fault: item.fault };
    await tables.commit(TABLE, session.id, [
      { kind: 'upsert', row: `o!${key(item.seq)}`, values: documentValues(value) },
    ]);
    published = item.seq;
  }
  return published;
}

/** The session as another instance uses it. */
export function remoteSession(tables: Tables, id: string, sleep: Sleep, now: () => number): Session {
  const send = (row: string, value: unknown) =>
    tables.commit(TABLE, id, [{ kind: 'upsert', row: `a!${row}`, values: documentValues(value) }]);
  const wanted = async () => {
    const row = await tables.read(TABLE, id, 'a!wanted');
    return row && documentOf(Wanted, row.values);
  };
  return {
    async *output(from, signal) {
      let at = from;
      let asked = -1;
      const reader = crypto.randomUUID();
      const since = now();
      let beat = 0;
      while (!signal.aborted) {
        if (asked !== at || now() - beat > BEAT_MS) {
          const other = await wanted();
          // Who asks again has left the stream before.
          if (other !== undefined && other.reader !== reader && other.since > since) return;
          beat = now();
          await send('wanted', { from: at, beat, reader, since });
        }
        asked = at;
        const range = { partition: id, from: `o!${key(at)}`, to: 'o"' };
        for await (const { values } of tables.list(TABLE, range)) {
          const item = itemOf(documentOf(Output, values));
          at = item.seq + 1;
          yield item;
          if (!('bytes' in item)) return;
        }
        if (asked !== at) continue;
        const head = await readHead(tables, id);
        if (head === undefined || isLost(head, now())) throw lost();
        await sleep(LOOK_MS);
      }
    },
    async input(at, bytes, end) {
      await send(`i!${key(at)}`, { at, data: base64(bytes), end });
      return at + bytes.length;
    },
    async resize(size) {
      await send('size', size);
    },
    async close() {
      await send('close', {});
    },
  };
}

export const lost = (): Terminal =>
  new Terminal({
    code: 'session-lost',
    status: 410,
    message: 'The instance of the app that held this session has ended, and the session with it.',
    remedy: 'Begin it again; what ran in the container may go on there.',
  });

/** Removes all rows of a session. */
export async function forgetSession(tables: Tables, id: string): Promise<void> {
  for await (const { row } of tables.list(TABLE, { partition: id }))
    await tables.commit(TABLE, id, [{ kind: 'delete', row }]).catch((error: unknown) => {
      if (!(error instanceof Conflict)) throw error;
    });
}

/** Removes what instances that ended have left. */
export async function expireSessions(tables: Tables, now: number): Promise<void> {
  const left = new Set<string>();
  for await (const { partition, values } of tables.list(TABLE, { from: HEAD, to: `${HEAD}!` }))
    if (now - documentOf(Head, values).aliveAt > 24 * 3600_000) left.add(partition);
  for (const id of left) await forgetSession(tables, id);
}

function itemOf(output: z.infer<typeof Output>): SessionItem {
  if ('stream' in output)
    return { seq: output.seq, stream: output.stream, bytes: Buffer.from(output.data, 'base64') };
  const { seq, exit, fault } = output;
  return { seq, exit: exit ?? undefined, ...(fault === undefined ? {} : { fault }) };
}

/** What a channel gives at once is never larger: an engine's frame is 32 KiB at most. */
const base64 = (bytes: Uint8Array): string => {
  if (bytes.length > ROW_BYTES) throw new RangeError(`${bytes.length} bytes do not fit in a row`);
  return Buffer.from(bytes).toString('base64');
};
