import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Channel, Piece } from '../../../shared/docker/access.ts';
import { expireSessions, writeHead } from '../../../shared/sessions/relay.ts';
import type { Session } from '../../../shared/sessions/session.ts';
import { type Sessions, sessions } from '../../../shared/sessions/sessions.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';

const ID = 'a'.repeat(32);

/** What goes in comes out; it ends with 7 when the input ends. */
function echo(): Channel & { readonly got: () => Buffer; readonly closed: () => boolean } {
  const got: Uint8Array[] = [];
  const said: Piece[] = [];
  let ended = false;
  let closed = false;
  let wake = () => {};
  return {
    got: () => Buffer.concat(got),
    closed: () => closed,
    async write(bytes) {
      got.push(bytes);
      said.push({ stream: 'stdout', bytes });
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    output: (async function* () {
      for (;;) {
        const next = said.shift();
        if (next !== undefined) yield next;
        else if (ended || closed) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    })(),
    exit: async () => 7,
    resize: async () => {},
    close() {
      closed = true;
      wake();
    },
  };
}

async function readAll(session: Session, from = 0): Promise<{ bytes: Buffer; exit: number | undefined }> {
  const bytes: Uint8Array[] = [];
  for await (const item of session.output(from, new AbortController().signal)) {
    if (!('bytes' in item)) return { bytes: Buffer.concat(bytes), exit: item.exit };
    bytes.push(item.bytes);
  }
  throw new Error('it ended without an end');
}

/** Two instances of the app with one storage; their pauses are short. */
function instances() {
  const tables = memoryTables();
  const clock = { now: 1_000_000 };
  const sleep = async (milliseconds: number) => {
    clock.now += milliseconds;
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  const make = (): Sessions => sessions(tables, () => clock.now, sleep);
  return { tables, clock, one: make(), other: make() };
}

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 6 });

describe('a session', () => {
  it.each(['one', 'other'] as const)(
    'takes every byte once and gives every byte once, asked through the instance that holds it or not: %s',
    async (through) => {
      await fc.assert(
        fc.asyncProperty(chunks, fc.nat(5), async (parts, repeated) => {
          const world = instances();
          const channel = echo();
          await world.one.begin(ID, 'me', async () => channel);
          const session = await world[through].find(ID, 'me');
          const read = readAll(session);
          let at = 0;
          for (const [index, bytes] of parts.entries()) {
            await session.input(at, bytes, false);
            if (index === repeated) await session.input(at, bytes, false);
            at += bytes.length;
          }
          await session.input(at, new Uint8Array(), true);
          const { bytes, exit } = await read;
          expect(Buffer.from(bytes)).toEqual(Buffer.concat(parts));
          expect([exit, channel.got().length]).toEqual([7, at]);
        }),
        { numRuns: through === 'one' ? 50 : 15 },
      );
    },
  );

  it('goes on where it was read, and says its end again', async () => {
    const { one } = instances();
    await one.begin(ID, 'me', async () => echo());
    const session = await one.find(ID, 'me');
    await session.input(0, Buffer.from('ab'), false);
    await session.input(2, Buffer.from('cd'), true);
    const first = session.output(0, new AbortController().signal)[Symbol.asyncIterator]();
    expect((await first.next()).value).toMatchObject({ seq: 0 });
    await first.return?.();
    expect((await readAll(session, 1)).bytes.toString()).toBe('cd');
    expect((await readAll(session, 2)).exit).toBe(7);
    expect((await readAll(session, 2)).exit).toBe(7);
  });

  it('gives again what was sent to one that has gone, and says so where that is too much', async () => {
    const { one } = instances();
    let given = 0;
    await one.begin(ID, 'me', async () => ({
      ...echo(),
      output: (async function* () {
        for (; given < 200; given += 1) yield { stream: 'stdout' as const, bytes: new Uint8Array(32_768) };
      })(),
    }));
    const session = await one.find(ID, 'me');
    const zombie = session.output(0, new AbortController().signal)[Symbol.asyncIterator]();
    for (let read = 0; read < 20; read += 1) await zombie.next();
    expect((await readAll(session, 2)).bytes.length).toBe(198 * 32_768);
    expect((await zombie.next()).done).toBe(true);
    await expect(readAll(session, 2)).rejects.toMatchObject({ code: 'session-output-gone' });
  });

  it('passes over nothing: input that has a gap before it is not taken', async () => {
    const { one } = instances();
    const channel = echo();
    await one.begin(ID, 'me', async () => channel);
    const session = await one.find(ID, 'me');
    expect(await session.input(5, Buffer.from('x'), false)).toBe(0);
    expect(channel.got().length).toBe(0);
  });

  it('is of who began it, begins once, and is lost with its instance', async () => {
    const { one, other, clock, tables } = instances();
    let opened = 0;
    const open = async () => {
      opened += 1;
      return echo();
    };
    await one.begin(ID, 'me', open);
    await one.begin(ID, 'me', open);
    await other.begin(ID, 'me', open);
    expect(opened).toBe(1);
    await expect(one.find(ID, 'you')).rejects.toMatchObject({ code: 'session-not-found' });
    await expect(other.find(ID, 'you')).rejects.toMatchObject({ code: 'session-not-found' });
    const lost = 'b'.repeat(32);
    await writeHead(tables, lost, { principal: 'me', aliveAt: clock.now - 60_000 });
    await expect(one.find(lost, 'me')).rejects.toMatchObject({ code: 'session-lost', status: 410 });
    await expireSessions(tables, clock.now + 25 * 3600_000);
    await expect(other.find(lost, 'me')).rejects.toMatchObject({ code: 'session-not-found' });
  });

  it('is closed when nobody has asked for a minute', async () => {
    const { one, clock } = instances();
    const channel = echo();
    await one.begin(ID, 'me', async () => channel);
    clock.now += 70_000;
    for (let turns = 0; turns < 50 && !channel.closed(); turns += 1)
      await new Promise((resolve) => setTimeout(resolve, 1));
    expect(channel.closed()).toBe(true);
  });

  it('reads no more of the other side than is read of it', async () => {
    let given = 0;
    const flood: Channel = {
      ...echo(),
      output: (async function* () {
        for (; given < 500; given += 1) yield { stream: 'stdout' as const, bytes: new Uint8Array(32_768) };
      })(),
    };
    const { one } = instances();
    await one.begin(ID, 'me', async () => flood);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(given).toBeLessThan(40);
    expect((await readAll(await one.find(ID, 'me'))).bytes.length).toBe(500 * 32_768);
  });
});
