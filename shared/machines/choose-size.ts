import type { PoolSpec } from '../model/pool.ts';
import { usable } from './usable.ts';

/** A size as ARM describes it: cores, and MiB. */
export interface KnownSize {
  readonly name: string;
  readonly cores: number;
  readonly memory: number;
}

export interface ChosenSize {
  readonly size: string;
  readonly cpu: number;
  readonly memory: number;
}

/**
 * The pool's most preferred size that is large enough and was not refused yet.
 * @param known sizes that the subscription has in this region
 * @returns why there is none otherwise
 */
export function chooseSize(
  spec: Pick<PoolSpec, 'sizes'>,
  needs: { readonly cpu: number; readonly memory: number },
  tried: readonly string[],
  known: readonly KnownSize[],
): ChosenSize | { readonly reason: string } {
  const reasons: string[] = [];
  for (const name of spec.sizes) {
    const found = known.find((size) => size.name === name);
    if (tried.includes(name)) reasons.push(`${name} was refused`);
    else if (found === undefined) reasons.push(`${name} is not offered here`);
    else {
      const room = usable(found);
      if (room.cpu >= needs.cpu && room.memory >= needs.memory) return { size: name, ...room };
      reasons.push(`${name} has room for ${room.cpu} cores and ${room.memory} MiB`);
    }
  }
  return { reason: reasons.join('; ') };
}
