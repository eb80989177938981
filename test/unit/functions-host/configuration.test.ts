import { describe, expect, it, test } from 'vitest';
import { readEnvironment } from '../../../infra/local/functions-host/environment.ts';
import { parseHostJson } from '../../../infra/local/functions-host/host-json.ts';
import { timeSpan } from '../../../infra/local/functions-host/time-span.ts';
import { schedule } from '../../../infra/local/functions-host/triggers/schedule.ts';

test.each([
  ['00:00:10', 10_000],
  ['00:00:00.500', 500],
  ['1.02:03:04', 93_784_000],
])('the time span %s has %i ms', (text, milliseconds) => {
  expect(timeSpan(text)).toBe(milliseconds);
});
test.each(['10', '0 * * * * *', '1:2', ''])("'%s' is no time span", (text) => {
  expect(timeSpan(text)).toBeUndefined();
});

describe('schedules', () => {
  const from = new Date('2026-11-25T00:00:10Z');
  test.each([
    ['0 */5 * * * *', '2026-11-25T00:05:00.000Z'],
    ['*/15 * * * * *', '2026-11-25T00:00:15.000Z'],
    ['30 2 * * 1', '2026-11-30T02:30:00.000Z'],
    ['00:00:20', '2026-11-25T00:00:30.000Z'],
  ])('%s is next due at %s', (text, due) => {
    expect(schedule('f', text, 'UTC').next(from)?.toISOString()).toBe(due);
  });

  it('follow their time zone', () => {
    expect(schedule('f', '0 0 8 * * *', 'Europe/Berlin').next(from)?.toISOString()).toBe(
      '2026-11-25T07:00:00.000Z',
    );
  });

  test.each(['soon', '* * *', '99 * * * * *'])("'%s' is refused with the function's name", (text) => {
    expect(() => schedule('late', text, 'UTC')).toThrow("'late'");
  });
});

describe('host.json', () => {
  it('has defaults, and takes app settings for %NAME%', () => {
    const { durableTask, queues, http } = parseHostJson(
      JSON.stringify({ version: '2.0', extensions: { durableTask: { hubName: '%HUB%' } } }),
      { HUB: 'Mine' },
    );
    expect(durableTask.hubName).toBe('Mine');
    expect(queues).toMatchObject({ batchSize: 16, maxDequeueCount: 5, maxPollingInterval: 60_000 });
    expect(http.routePrefix).toBe('api');
  });

  test.each([
    ['{', 'is not JSON'],
    ['{"version":"1.0"}', 'version'],
    ['{"version":"2.0","functionTimeout":"soon"}', 'expected a time span'],
    ['{"version":"2.0","extensions":{"queues":{"batchSize":64}}}', 'extensions.queues.batchSize'],
    ['{"version":"2.0","extensions":{"durableTask":{"hubName":"%MISSING%"}}}', 'MISSING'],
  ])('%s is refused', (text, why) => {
    expect(() => parseHostJson(text, {})).toThrow(why);
  });
});

describe("the host's environment", () => {
  it('lists addresses', () => {
    expect(readEnvironment({ BERTH_HOST_LISTEN: '127.0.0.1:1, [::1]:2' }).addresses).toEqual([
      { host: '127.0.0.1', port: 1 },
      { host: '::1', port: 2 },
    ]);
  });

  test.each([
    [{}, 'BERTH_HOST_LISTEN is missing'],
    [{ BERTH_HOST_LISTEN: 'host' }, "BERTH_HOST_LISTEN has 'host'"],
    [{ BERTH_HOST_LISTEN: 'h:1', BERTH_HOST_KEY: '/k' }, 'BERTH_HOST_CERTIFICATE is missing'],
    [{ BERTH_HOST_LISTEN: 'h:1', BERTH_HOST_CERTIFICATE: '/none/c' }, '/none/c'],
  ])('%o is refused', (environment, why) => {
    expect(() => readEnvironment(environment)).toThrow(why);
  });
});
