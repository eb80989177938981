/** A clock that moves only when everything waits: hours pass in milliseconds, in an order that the seed decides. */
export class VirtualTime {
  #now: number;
  #count = 0;
  readonly #waiting: { readonly at: number; readonly order: number; wake(): void }[] = [];

  constructor(start: string) {
    this.#now = Date.parse(start);
  }

  now = (): Date => new Date(this.#now);

  sleep = (milliseconds: number): Promise<void> =>
    new Promise((wake) => {
      this.#count += 1;
      this.#waiting.push({ at: this.#now + Math.max(0, milliseconds), order: this.#count, wake });
    });

  /** Lets time pass until a moment, or until nothing waits any more. */
  async runUntil(end: number): Promise<void> {
    for (;;) {
      // What can go on without the clock has gone on.
      await new Promise((resolve) => setImmediate(resolve));
      let first: number | undefined;
      for (const [index, one] of this.#waiting.entries()) {
        const best = first === undefined ? undefined : this.#waiting[first];
        if (best === undefined || one.at < best.at || (one.at === best.at && one.order < best.order))
          first = index;
      }
      const next = first === undefined ? undefined : this.#waiting[first];
      if (first === undefined || next === undefined || next.at > end) break;
      this.#waiting.splice(first, 1);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    this.#now = Math.max(this.#now, end);
  }

  async pass(milliseconds: number): Promise<void> {
    await this.runUntil(this.#now + milliseconds);
  }
}

/** Draws from a seed: mulberry32. */
export function draws(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (least: number, most: number): number => least + Math.floor(next() * (most - least + 1)),
    one<T>(of: readonly T[]): T {
      return of[Math.floor(next() * of.length)] as T;
    },
    happens: (probability: number): boolean => next() < probability,
  };
}
export type Draws = ReturnType<typeof draws>;
