import { describe, expect, it } from 'vitest';
import { logEvents } from '../../../cli/read-log.ts';

const text =
  ': still here\n\n' +
  'id: 1\nevent: line\ndata: {"stream":"stdout","time":"2026-01-01T00:00:00.1Z","text":"a: b é"}\n\n' +
  'event: end\ndata: {"reason":"limit","cursor":"2026-01-01T00:00:00.1Z"}\n\n';

describe('server-sent log events', () => {
  it.each([1, 2, 7, 1000])('are read from chunks of %i bytes', async (size) => {
    const bytes = new TextEncoder().encode(text);
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    const events = [];
    for await (const event of logEvents(chunks())) events.push(event);
    expect(events).toMatchObject([
      { event: 'line', data: { text: 'a: b é' } },
      { event: 'end', data: { reason: 'limit' } },
    ]);
  });
});
