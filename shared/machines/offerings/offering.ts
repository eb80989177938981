import type { Priority } from '../../model/pool.ts';

/** What a machine may be asked for as. */
export interface Offering {
  readonly size: string;
  /** Absent: Azure chooses. */
  readonly zone?: string;
  readonly priority: Priority;
  /** Quota family of the size. */
  readonly family: string;
  /** Cores that count against quotas. */
  readonly cores: number;
  /** What containers may use: cores, MiB. */
  readonly cpu: number;
  readonly memory: number;
  /** Whole GPUs; absent: none. */
  readonly gpu?: number;
  /** US dollars per hour; absent where no table of prices knows it. */
  readonly hourly?: number;
}

/** A size as Microsoft.Compute/skus describes it. */
export interface KnownSku {
  readonly name: string;
  readonly family: string;
  readonly cores: number;
  /** MiB. */
  readonly memory: number;
  /** Whole GPUs; absent: none. */
  readonly gpus?: number;
  /** Those in which this subscription may have it. */
  readonly zones: readonly string[];
  /** Why this subscription may not have it in the region at all, as Azure's reason code. */
  readonly restricted?: string;
  /** Whether it is to be had as a spot machine. */
  readonly spot: boolean;
}

/** Cores of a quota: of a family, `cores` (all regular machines of the region) or `lowPriorityCores` (all spot ones). */
export interface Usage {
  readonly name: string;
  readonly current: number;
  readonly limit: number;
}

/** Quotas of the region at one moment. */
export interface Usages {
  readonly at: Date;
  readonly of: readonly Usage[];
}

/** Names of the quotas that count whatever the family. https://learn.microsoft.com/rest/api/compute/usage/list */
export const REGIONAL = 'cores';
export const SPOT = 'lowPriorityCores';

/** `Standard_B2s in zone 1, spot` */
export const offeringText = ({
  size,
  zone,
  priority,
}: Pick<Offering, 'size' | 'priority'> & { readonly zone?: string | undefined }): string =>
  `${size}${zone === undefined ? '' : ` in zone ${zone}`}${priority === 'spot' ? ', spot' : ''}`;
