import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextCounter } from '../../../shared/registry/push-event.ts';

test('counters grow, also where a clock goes back', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), (times) => {
      let last: number | undefined;
      for (const time of times) {
        const next = nextCounter(last, new Date(time));
        expect(next).toBeGreaterThan(last ?? 0);
        last = next;
      }
    }),
  );
});
