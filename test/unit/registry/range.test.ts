import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseContentRange, parseRange, uploadRange } from '../../../shared/registry/range.ts';

describe('Range', () => {
  test.each([
    [null, undefined],
    ['bytes=0-', { from: 0, to: 99 }],
    ['bytes=0-0', { from: 0, to: 0 }],
    ['bytes=90-200', { from: 90, to: 99 }],
    ['bytes=-10', { from: 90, to: 99 }],
    ['bytes=-1000', { from: 0, to: 99 }],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=5-4', undefined],
    ['bytes=-', undefined],
    ['bytes=0-1,5-6', undefined],
    ['lines=0-1', undefined],
  ])('%s of 100 bytes', (header, expected) => expect(parseRange(header, 100)).toEqual(expected));

  test('what it gives lies within the content', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.option(fc.nat(2000)), fc.option(fc.nat(2000)), (size, first, last) => {
        const range = parseRange(`bytes=${first ?? ''}-${last ?? ''}`, size);
        if (range === undefined || range === 'unsatisfiable') return;
        expect(range.from).toBeGreaterThanOrEqual(0);
        expect(range.from).toBeLessThanOrEqual(range.to);
        expect(range.to).toBeLessThan(size);
      }),
    );
  });
});

test.each([
  [null, undefined],
  ['0-99', { from: 0, to: 99 }],
  ['bytes 10-19/*', { from: 10, to: 19 }],
  ['bytes=10-19', { from: 10, to: 19 }],
  ['10-19/20', { from: 10, to: 19 }],
  ['from 1 to 2', null],
  ['4-0', null],
])('Content-Range %s', (header, expected) => expect(parseContentRange(header)).toEqual(expected));

test('an upload says what it has as docker reads it', () => {
  expect([0, 1, 1000].map(uploadRange)).toEqual(['0-0', '0-0', '0-999']);
});
