import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreedVersion } from '../../../shared/docker/api-version.ts';
import { containerOf, Inspected } from '../../../shared/docker/container-api.ts';
import { engineTime, logLines, nanoseconds } from '../../../shared/docker/log-frames.ts';
import { pullError, pullFault } from '../../../shared/docker/pull-progress.ts';

const TIME = '2026-11-25T12:00:00.000000001Z';

/** Cuts bytes at these places, as a network does. */
async function* cut(bytes: Uint8Array, places: readonly number[]): AsyncGenerator<Uint8Array> {
  const edges = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  for (let index = 1; index < edges.length; index += 1) yield bytes.slice(edges[index - 1], edges[index]);
}

function frame(stream: 'stdout' | 'stderr', text: string): Buffer {
  const body = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = stream === 'stdout' ? 1 : 2;
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of source) found.push(one);
  return found;
}

describe('log frames', () => {
  it('become lines, wherever the network cuts them', async () => {
    const text = fc.string({ unit: 'grapheme' }).map((value) => value.replace(/[\r\n]/g, ' '));
    const line = fc.record({ stream: fc.constantFrom('stdout' as const, 'stderr' as const), text });
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat()), async (lines, places) => {
        const bytes = Buffer.concat(lines.map((one) => frame(one.stream, `${TIME} ${one.text}\n`)));
        expect(await all(logLines(cut(bytes, places)))).toEqual(lines.map((one) => ({ ...one, time: TIME })));
      }),
      { numRuns: 50 },
    );
  });

  it('continue a line that was too long for one message', async () => {
    const bytes = Buffer.concat([
      frame('stdout', `${TIME} begin `),
      frame('stderr', `${TIME} other\n`),
      frame('stdout', `2026-11-25T12:00:01.000000000Z end\r\n`),
      frame('stdout', `${TIME} without a line feed`),
    ]);
    expect((await all(logLines(cut(bytes, [])))).map(({ stream, text }) => [stream, text])).toEqual([
      ['stderr', 'other'],
      ['stdout', 'begin end'],
      ['stdout', 'without a line feed'],
    ]);
  });

  it('are none of a container with a terminal', async () => {
    const text = fc.string({ unit: 'grapheme' }).map((value) => value.replace(/[\r\n]/g, ' '));
    await fc.assert(
      fc.asyncProperty(fc.array(text), fc.array(fc.nat()), async (lines, places) => {
        const bytes = Buffer.from(lines.map((line) => `${TIME} ${line}\r\n`).join(''));
        expect(await all(logLines(cut(bytes, places)))).toEqual(
          lines.map((line) => ({ stream: 'stdout', text: line, time: TIME })),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('count time in nanoseconds', () => {
    expect(nanoseconds('1970-01-01T00:00:01.5Z')).toBe(1_500_000_000n);
    expect(nanoseconds('1970-01-01T01:00:00.000000001+01:00')).toBe(1n);
    expect(nanoseconds('12.000000003')).toBe(12_000_000_003n);
    expect(engineTime('1970-01-01T00:00:12.000000003Z')).toBe('12.000000003');
    expect(() => nanoseconds('yesterday')).toThrow('neither an RFC 3339 time');
  });
});

describe('the progress of a pull', () => {
  const stream = (...messages: unknown[]) =>
    Buffer.from(messages.map((message) => `${JSON.stringify(message)}\r\n`).join(''));

  it('tells its error, wherever the network cuts it', async () => {
    const bytes = stream({ status: 'Pulling' }, { errorDetail: { message: 'manifest unknown' }, error: 'x' });
    expect(await pullError(cut(bytes, [3, 20, 21]))).toBe('manifest unknown');
    expect(await pullError(cut(stream({ status: 'Download complete' }), [5]))).toBeUndefined();
    expect(await pullError(cut(Buffer.from('{"error":"cut off"}'), []))).toBe('cut off');
  });

  it.each([
    ['manifest for x@sha256:1 not found: manifest unknown: manifest unknown', 'image-not-found'],
    ['name unknown: repository name not known to registry', 'image-not-found'],
    ['unauthorized: authentication required', 'registry-refused'],
    ['pull access denied for x, repository does not exist or may require docker login', 'registry-refused'],
    ['no matching manifest for linux/amd64 in the manifest list entries', 'image-unusable'],
    [
      'Get "https://10.20.0.1:7443/v2/": dial tcp 10.20.0.1:7443: connect: connection refused',
      'registry-unreachable',
    ],
    ['Get "https://10.20.0.1/v2/": x509: certificate signed by unknown authority', 'registry-unreachable'],
  ])('%s is %s', (detail, code) => {
    expect(pullFault('x', detail)).toMatchObject({ code });
  });
});

describe('the Engine API', () => {
  it('is spoken in the newest version that both know', () => {
    expect(agreedVersion('1.41')).toBe('1.41');
    expect(agreedVersion('1.52')).toBe('1.47');
    expect(agreedVersion('1.9')).toBeUndefined();
    expect(agreedVersion('')).toBeUndefined();
  });

  it('describes a container that ended', () => {
    const answer = Inspected.parse({
      Id: 'c1',
      Name: '/web',
      Config: { Image: 'x', Labels: null },
      State: { Status: 'exited', ExitCode: 137, OOMKilled: true, StartedAt: TIME, FinishedAt: TIME },
    });
    expect(containerOf(answer)).toEqual({
      id: 'c1',
      name: 'web',
      image: 'x',
      labels: {},
      state: { state: 'exited', exitCode: 137, finishedAt: TIME, outOfMemory: true },
    });
  });
});
