import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventHash } from '../../../shared/events/event-hash.ts';
import { eventStore } from '../../../shared/events/event-store.ts';
import { CloudEvent } from '../../../shared/model/cloud-event.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';

const event = (id: string, source = 'api'): CloudEvent => ({
  specversion: '1.0',
  id,
  source,
  type: 'dev.berth.command',
  time: '2026-01-01T00:00:00Z',
  datacontenttype: 'application/json',
  data: { id },
});
const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
const listed = async <T>(items: AsyncIterable<T>): Promise<T[]> => await Array.fromAsync(items);

describe('the event store', () => {
  it('stores an event once, however often and in whatever order it comes', async () => {
    const ids = fc.array(fc.constantFrom('a', 'b', 'c/d', 'é?#'), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(ids, async (stream) => {
        const store = eventStore(memoryTables(), () => at(0));
        const results = await Promise.all(stream.map((id) => store.append(event(id, 'registry/a/b'))));
        const stored = results.filter(({ status }) => status === 'stored');
        expect(stored.length).toBe(new Set(stream).size);
        expect((await listed(store.pending(at(1)))).length).toBe(new Set(stream).size);
      }),
    );
  });

  it('knows what was not answered, and since when', async () => {
    let clock = at(0);
    const store = eventStore(memoryTables(), () => clock);
    const { hash } = await store.append(event('a'));
    clock = at(20);
    await store.append(event('b'));
    expect((await listed(store.pending(at(10)))).map((found) => found.event.id)).toEqual(['a']);
    expect(await store.isPending(event('a'), hash)).toBe(true);
    await store.answered(event('a'), hash);
    await store.answered(event('a'), hash);
    expect(await store.isPending(event('a'), hash)).toBe(false);
    expect((await listed(store.pending(at(30)))).map((found) => found.event.id)).toEqual(['b']);
    expect((await store.get('api', hash))?.data).toEqual({ id: 'a' });
  });

  it('lets a refused event come again', async () => {
    const store = eventStore(memoryTables(), () => at(0));
    const { hash } = await store.append(event('a'));
    await store.withdraw(event('a'), hash);
    await store.withdraw(event('a'), hash);
    expect(await store.get('api', hash)).toBeUndefined();
    expect(await listed(store.pending(at(1)))).toEqual([]);
    expect((await store.append(event('a'))).status).toBe('stored');
  });

  it('forgets what is old', async () => {
    let clock = at(0);
    const store = eventStore(memoryTables(), () => clock);
    const { hash } = await store.append(event('a'));
    clock = at(20);
    await store.append(event('b'));
    expect(await store.expire(at(10))).toBe(1);
    expect(await store.get('api', hash)).toBeUndefined();
  });

  it('names an event by source and id together', async () => {
    const hashes = await Promise.all(
      [
        { source: 'a', id: 'b' },
        { source: 'b', id: 'a' },
        { source: 'ab', id: '' },
        { source: 'a', id: 'b\nc' },
      ].map(eventHash),
    );
    expect(new Set(hashes).size).toBe(hashes.length);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{40}$/);
    expect(CloudEvent.safeParse({ ...event('x'), source: 'a\nb' }).success).toBe(false);
  });
});
