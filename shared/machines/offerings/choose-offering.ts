import type { Offering } from './offering.ts';
import { offeringText } from './offering.ts';
import type { Ranked } from './rank-offerings.ts';

/**
 * The most preferred offering that is large enough and affordable; otherwise why there is none. Pure.
 * @param hourlyLeft US dollars per hour that the machine may cost; undefined: any
 */
export function chooseOffering(
  { offerings, passed }: Ranked,
  needs: Needs,
  hourlyLeft?: number,
): Offering | { readonly reason: string } {
  const reasons = passed.map(({ offering, reason }) => `${offering}: ${reason}`);
  for (const offering of offerings) {
    const fault = tooSmall(offering, needs) ?? tooDear(offering, hourlyLeft);
    if (fault === undefined) return offering;
    reasons.push(`${offeringText(offering)}: ${fault}`);
  }
  return { reason: reasons.join('; ') };
}

interface Needs {
  readonly cpu: number;
  readonly memory: number;
  readonly gpu?: number;
}

function tooSmall({ cpu, memory, gpu = 0 }: Offering, needs: Needs): string | undefined {
  if (gpu < (needs.gpu ?? 0)) return gpu === 0 ? 'it has no GPU' : `it has ${gpu} GPU${gpu === 1 ? '' : 's'}`;
  return cpu >= needs.cpu && memory >= needs.memory
    ? undefined
    : `it has room for ${cpu} cores and ${memory} MiB`;
}

/** Sums of prices are not exact. */
const EPSILON = 1e-9;

function tooDear({ hourly }: Offering, left: number | undefined): string | undefined {
  if (left === undefined) return undefined;
  if (hourly === undefined)
    return 'its price is not known here, so that the hourlyLimit of the pool cannot be kept';
  return hourly <= left + EPSILON
    ? undefined
    : `it costs $${hourly}/h, and the hourlyLimit of the pool leaves $${Math.max(0, left).toFixed(4)}/h`;
}
