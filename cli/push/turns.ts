/** Lets so many pieces of work go on at once; others wait their turn, in order. */
export interface Turns {
  take<T>(work: () => Promise<T>): Promise<T>;
}

export function turns(width: number): Turns {
  const waiting: (() => void)[] = [];
  let free = width;
  return {
    async take(work) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) free += 1;
        else next();
      }
    },
  };
}
