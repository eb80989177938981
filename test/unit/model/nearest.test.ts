import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearest } from '../../../shared/model/nearest.ts';

test('the nearest names come first, and none that are far', () => {
  const known = ['shop/web', 'shop/wed', 'shop/worker', 'other/thing'];
  expect(nearest('shop/wep', known)).toEqual(['shop/web', 'shop/wed']);
  expect(nearest('Shop/Web', known)[0]).toBe('shop/web');
  expect(nearest('zzzzzzzzzz', known)).toEqual([]);
});

test('a name with one letter wrong is found among any others', () => {
  const name = fc.stringMatching(/^[a-z]{4,20}$/);
  fc.assert(
    fc.property(name, fc.array(name), fc.nat(), (meant, others, at) => {
      const place = at % meant.length;
      const wrong = `${meant.slice(0, place)}-${meant.slice(place + 1)}`;
      expect(nearest(wrong, [...others, meant], Number.POSITIVE_INFINITY)).toContain(meant);
    }),
  );
});
