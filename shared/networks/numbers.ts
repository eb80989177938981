import { z } from 'zod';

/** Who has which number, from 1 on. */
export const Numbers = z.object({ taken: z.record(z.string().regex(/^[1-9][0-9]*$/), z.string()) });
export type Numbers = z.infer<typeof Numbers>;

export const numberOfOwner = ({ taken }: Numbers, owner: string): number | undefined => {
  const found = Object.entries(taken).find(([, one]) => one === owner);
  return found && Number(found[0]);
};

/** Without those who have none. */
export const numbersOf = (
  owners: readonly { readonly number: number | undefined; readonly owner: string }[],
): Numbers => ({
  taken: Object.fromEntries(
    owners.flatMap(({ number, owner }) => (number === undefined ? [] : [[String(number), owner]])),
  ),
});

/** The numbers, and those that others are known to have and nobody else was given; the same if there are none. */
export function merged(numbers: Numbers, known: Numbers): Numbers {
  const more = Object.entries(known.taken).filter(
    ([number, owner]) => numbers.taken[number] === undefined && numberOfOwner(numbers, owner) === undefined,
  );
  return more.length === 0 ? numbers : { taken: { ...Object.fromEntries(more), ...numbers.taken } };
}

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
