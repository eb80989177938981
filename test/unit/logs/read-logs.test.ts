import { describe, expect, it } from 'vitest';
import { type MemoryEngine, memoryEngine } from '../../../shared/docker/engine.memory.ts';
import { memoryAppendBlobs } from '../../../shared/logs/append-blobs.memory.ts';
import { logKeeper } from '../../../shared/logs/log-keeper.ts';
import { sourceOf } from '../../../shared/logs/log-source.ts';
import { type LiveSource, type LogItem, type ReadRequest, readLogs } from '../../../shared/logs/read-logs.ts';

const labels = { 'berth.environment': 'dev', 'berth.service': 'dev.hello.web' };

/** Replicas of one service on one engine, by slot. */
function world() {
  const engine: MemoryEngine = memoryEngine();
  const blobs = memoryAppendBlobs();
  const keeper = logKeeper(blobs);
  const present = new Map<number, LiveSource>();
  const ids = new Map<number, string>();
  const nameOf = (slot: number) => `dev.hello.web.r1.${slot}.g1`;
  return {
    engine,
    async add(slot: number) {
      await engine.pull('x', '');
      const { id } = await engine.create({
        name: nameOf(slot),
        image: 'x',
        command: undefined,
        environment: {},
        labels,
        cpu: 1,
        memory: 64,
        publish: undefined,
        stopGrace: 1,
      });
      await engine.start(id);
      ids.set(slot, id);
      present.set(slot, {
        label: `hello/web/${slot}.g1`,
        machine: 'default-k3x9bc',
        containerId: id,
        engine: async () => engine,
      });
    },
    write: (slot: number, text: string) => engine.control.write(ids.get(slot) ?? '', text),
    /** As a rollout removes one: its log is kept, then it goes. */
    async remove(slot: number) {
      const id = ids.get(slot) ?? '';
      await engine.stop(id, 1);
      const source = sourceOf({ id, name: nameOf(slot), labels }, 'default-k3x9bc')!;
      await keeper.keepRest(source, engine, id);
      await engine.remove(id);
      present.delete(slot);
    },
    read: (request: ReadRequest, signal = new AbortController().signal) =>
      readLogs(
        blobs,
        {
          folder: 'dev/s/hello.web/',
          isWanted: () => true,
          live: async () => [...present.values()],
          watch: true,
        },
        request,
        signal,
        1,
      ),
  };
}

const textOf = (item: LogItem): string => ('note' in item ? `(${item.note})` : item.text);
async function texts(items: AsyncIterable<LogItem>): Promise<string[]> {
  const all: string[] = [];
  for await (const item of items) all.push(textOf(item));
  return all;
}

describe('logs of a service', () => {
  it('are followed with those that come, without those that end, until the reader goes', async () => {
    const { add, write, remove, read } = world();
    await add(0);
    write(0, 'before');
    const reader = new AbortController();
    const items = read({ follow: true, tail: 1 }, reader.signal);
    const next = async () => textOf((await items.next()).value as LogItem);
    expect(await next()).toBe('before');
    write(0, 'while');
    expect(await next()).toBe('while');
    await add(1);
    write(1, 'from its beginning');
    expect(await next()).toBe('from its beginning');
    write(0, 'last of the first');
    expect(await next()).toBe('last of the first');
    await remove(0);
    write(1, 'goes on');
    expect(await next()).toBe('goes on');
    reader.abort();
    expect((await items.next()).done).toBe(true);
  });

  it('of one that is gone and one that is there are one stream, and each goes on where it was read', async () => {
    const { add, write, remove, read } = world();
    await add(0);
    await add(1);
    for (const text of ['one', 'three']) write(0, text);
    await remove(0);
    write(1, 'four');
    expect(await texts(read({}))).toEqual(['one', 'three', 'four']);
    expect(await texts(read({ tail: 2 }))).toEqual(['three', 'four']);
    expect(await texts(read({ tail: 0 }))).toEqual([]);
    const cursors = new Map<string, { stdout: string }>();
    for await (const item of read({}))
      if (!('note' in item) && item.text === 'one') cursors.set(item.container, { stdout: item.time });
    expect(await texts(read({ cursors }))).toEqual(['three', 'four']);
    expect(await texts(read({ contains: 'FOU', ignoreCase: true }))).toEqual(['four']);
  });

  it('of a machine that does not answer are said once', async () => {
    const { add, write, engine, read } = world();
    await add(0);
    write(0, 'unseen');
    engine.control.reachable(false);
    const shown = await texts(read({}));
    expect(shown).toEqual([expect.stringContaining('cannot be asked')]);
  });

  it('are refused where too many would be followed at once', async () => {
    const { add, read } = world();
    for (let slot = 0; slot < 101; slot += 1) await add(slot);
    await expect(texts(read({ follow: true }))).rejects.toMatchObject({ code: 'logs-too-many' });
  });
});
