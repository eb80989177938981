import fc from 'fast-check';

/** `npm run test:long`: the issues' full figures; otherwise a sample of them. */
export const long = process.env['TEST_LONG'] === '1';

/** Printed by the runner; TEST_SEED repeats a run. */
export const seed = Number(process.env['TEST_SEED'] ?? 1);

/** Property tests draw from the run's seed, and as many cases as its length asks for. */
fc.configureGlobal({ seed, numRuns: long ? 1_000 : 100 });

/** Numbers in [0, 1) that the seed decides: mulberry32, which is short and good enough for choosing moments. */
let state = seed >>> 0;
export function random(): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
