import { describe, expect, it } from 'vitest';
import {
  afterFailure,
  type Breaker,
  isEndedBy,
  restingReason,
  stateAt,
} from '../../../shared/machines/breaker/breaker.ts';
import { breakerStore } from '../../../shared/machines/breaker/breaker-store.ts';
import { PoolName } from '../../../shared/model/names.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';

const START = Date.parse('2026-11-25T12:00:00Z');
const at = (minutes: number) => new Date(START + minutes * 60_000);
const failure = (machine: string) => ({
  machine,
  code: 'machine-not-registered',
  reason: 'no report\nconsole',
});

/** Fails as soon as the breaker allows it, so many times. @returns the minutes of each failure */
function failAsAllowed(times: number): { breaker: Breaker | undefined; minutes: number[] } {
  let breaker: Breaker | undefined;
  const minutes: number[] = [];
  for (let time = 0; minutes.length < times; time += 1)
    if (restingReason(breaker, 0, at(time)) === undefined) {
      breaker = afterFailure(breaker, failure(`m${minutes.length}`), at(time)) ?? breaker;
      minutes.push(time);
    }
  return { breaker, minutes };
}

describe('a pool whose machines fail', () => {
  it('rests longer and longer, then its breaker opens, and lets one try at a time', () => {
    const { minutes } = failAsAllowed(10);
    const pauses = minutes.slice(1).map((minute, index) => minute - minutes[index]!);
    expect(pauses).toEqual([1, 5, 15, 15, 60, 120, 240, 480, 960]);
    const { breaker } = failAsAllowed(5);
    expect(stateAt(breaker, at(36))).toBe('open');
    expect(stateAt(breaker, at(36 + 60))).toBe('half-open');
    expect(restingReason(breaker, 0, at(97))).toBeUndefined();
    expect(restingReason(breaker, 1, at(97))).toMatch(
      /^its breaker is half-open: one machine is tried at a time/,
    );
    expect(restingReason(breaker, 0, at(40))).toBe(
      'its breaker is open until 2026-11-25T13:36:00.000Z, after 5 failures; the last failure, of m4: machine-not-registered: no report',
    );
  });

  it('counts each machine once, and those that were under way when it opened make it no longer', () => {
    let breaker: Breaker | undefined;
    for (const name of ['a', 'b', 'c', 'd', 'e']) breaker = afterFailure(breaker, failure(name), at(0));
    expect(afterFailure(breaker, failure('e'), at(1))).toBeUndefined();
    const late = afterFailure(breaker, failure('f'), at(10));
    expect(late).toMatchObject({ state: 'open', opened: 1, until: breaker?.until, failures: 6 });
  });

  it('is closed by a machine that became ready after the last failure, and by a user', async () => {
    const pool = PoolName.parse('default');
    const store = breakerStore(memoryTables(), () => at(5));
    await store.failed(pool, failure('a'));
    await store.succeeded(pool, at(4).toISOString());
    expect((await store.get(pool))?.failures).toBe(1);
    expect(isEndedBy((await store.get(pool))!, at(6).toISOString())).toBe(true);
    await store.succeeded(pool, at(6).toISOString());
    expect(await store.get(pool)).toBeUndefined();
    await store.failed(pool, failure('b'));
    expect([...(await store.all()).keys()]).toEqual(['default']);
    await store.reset(pool);
    expect(await store.get(pool)).toBeUndefined();
  });

  it('forgets a failure after a day', () => {
    const first = afterFailure(undefined, failure('a'), at(0));
    expect(afterFailure(first, failure('b'), at(25 * 60))).toMatchObject({ failures: 1 });
  });
});
