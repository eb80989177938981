/** Sizes that the local data centre offers, with the figures of Azure's size pages: https://learn.microsoft.com/azure/virtual-machines/sizes */
export interface Size {
  readonly name: string;
  /** Quota family, as in Microsoft.Compute/skus and usages. */
  readonly family: string;
  readonly tier: 'Standard';
  /** `B2s` of Standard_B2s. */
  readonly size: string;
  readonly cores: number;
  /** GiB. */
  readonly memory: number;
  readonly maxDataDisks: number;
  /** MiB of the temporary disk; 0 for none. */
  readonly temporaryDisk: number;
  readonly premium: boolean;
  /** Zones of the region that have it. */
  readonly zones: readonly string[];
  /** Whether it is to be had as a spot VM: sizes of the B series are not. */
  readonly spot: boolean;
}

/** As in a real region, not every family is in every zone. */
const ZONES: Readonly<Record<string, readonly string[]>> = {
  standardFSv2Family: ['1', '2'],
  standardDASv5Family: ['2', '3'],
};

const size = (
  name: string,
  family: string,
  cores: number,
  memory: number,
  maxDataDisks: number,
  temporaryDisk: number,
): Size => ({
  name: `Standard_${name}`,
  family: `standard${family}Family`,
  tier: 'Standard',
  size: name,
  cores,
  memory,
  maxDataDisks,
  temporaryDisk,
  premium: true,
  zones: ZONES[`standard${family}Family`] ?? ['1', '2', '3'],
  spot: !family.startsWith('B'),
});

export const SIZES: readonly Size[] = [
  size('B1ls', 'BS', 1, 0.5, 2, 4096),
  size('B1s', 'BS', 1, 1, 2, 4096),
  size('B1ms', 'BS', 1, 2, 2, 4096),
  size('B2s', 'BS', 2, 4, 4, 8192),
  size('B2ms', 'BS', 2, 8, 4, 16384),
  size('B4ms', 'BS', 4, 16, 8, 32768),
  size('B8ms', 'BS', 8, 32, 16, 65536),
  size('B2ts_v2', 'Bsv2', 2, 1, 4, 0),
  size('B2ls_v2', 'Bsv2', 2, 4, 4, 0),
  size('B2s_v2', 'Bsv2', 2, 8, 4, 0),
  size('B4ls_v2', 'Bsv2', 4, 8, 8, 0),
  size('B4s_v2', 'Bsv2', 4, 16, 8, 0),
  size('D2s_v3', 'DSv3', 2, 8, 4, 16384),
  size('D4s_v3', 'DSv3', 4, 16, 8, 32768),
  size('D2s_v5', 'DSv5', 2, 8, 4, 0),
  size('D4s_v5', 'DSv5', 4, 16, 8, 0),
  size('D8s_v5', 'DSv5', 8, 32, 16, 0),
  size('D16s_v5', 'DSv5', 16, 64, 32, 0),
  size('D2as_v5', 'DASv5', 2, 8, 4, 0),
  size('D4as_v5', 'DASv5', 4, 16, 8, 0),
  size('D8as_v5', 'DASv5', 8, 32, 16, 0),
  size('E2s_v5', 'ESv5', 2, 16, 4, 0),
  size('E4s_v5', 'ESv5', 4, 32, 8, 0),
  size('E8s_v5', 'ESv5', 8, 64, 16, 0),
  size('F2s_v2', 'FSv2', 2, 4, 4, 16384),
  size('F4s_v2', 'FSv2', 4, 8, 8, 32768),
  size('F8s_v2', 'FSv2', 8, 16, 16, 65536),
];

/** Sizes are compared without regard to case. */
export const sizeNamed = (name: string): Size | undefined =>
  SIZES.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
