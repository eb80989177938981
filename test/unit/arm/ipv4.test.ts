import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  complement,
  contains,
  formatAddress,
  formatBlock,
  overlap,
  parseAddress,
  parseBlock,
} from '../../../infra/local/arm/network/ipv4.ts';

const block = fc
  .record({ address: fc.nat({ max: 2 ** 32 - 1 }), prefix: fc.integer({ min: 1, max: 32 }) })
  .map(({ address, prefix }) => {
    const size = 2 ** (32 - prefix);
    const first = Math.floor(address / size) * size;
    return { first, last: first + size - 1, prefix };
  });

describe('IPv4', () => {
  it.each(['10.0.0.1/24', '10.0.0.0/33', '10.0.0/24', '10.0.0.256', '10.0.0.0/a', '', '10.0.0.0/8/8'])(
    'refuses %j as a block',
    (text) => expect(parseBlock(text)).toBeUndefined(),
  );
  it('writes what it reads', () => {
    fc.assert(
      fc.property(block, (one) => {
        expect(parseBlock(formatBlock(one))).toEqual(one);
        expect(parseAddress(formatAddress(one.last))).toBe(one.last);
      }),
    );
  });
  it('has in the complement every address that no block has, and no other', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 4 }), fc.nat({ max: 2 ** 32 - 1 }), (blocks, address) => {
        const point = { first: address, last: address, prefix: 32 };
        const inside = blocks.some((one) => contains(one, point));
        const outside = complement(blocks).filter((one) => contains(one, point)).length;
        expect(outside).toBe(inside ? 0 : 1);
        for (const one of complement(blocks)) expect(blocks.some((other) => overlap(one, other))).toBe(false);
      }),
    );
  });
});
