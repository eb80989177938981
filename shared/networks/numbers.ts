import { z } from 'zod';

/** Who has which number, from 1 on. */
export const Numbers = z.object({ taken: z.record(z.string().regex(/^[1-9][0-9]*$/), z.string()) });
export type Numbers = z.infer<typeof Numbers>;

export const numberOfOwner = ({ taken }: Numbers, owner: string): number | undefined => {
  const found = Object.entries(taken).find(([, one]) => one === owner);
  return found && Number(found[0]);
};

/** The numbers after the owner has one: that it had, or the lowest that is free; undefined if all `most` are taken. */
export function take(numbers: Numbers, owner: string, most: number): Numbers | undefined {
  if (numberOfOwner(numbers, owner) !== undefined) return numbers;
  for (let number = 1; number <= most; number += 1)
    if (numbers.taken[number] === undefined) return { taken: { ...numbers.taken, [number]: owner } };
  return undefined;
}

export const release = ({ taken }: Numbers, owner: string): Numbers => ({
  taken: Object.fromEntries(Object.entries(taken).filter(([, one]) => one !== owner)),
});
