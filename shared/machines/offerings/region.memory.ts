import type { KnownSku, Usage } from './offering.ts';
import type { Region } from './region.ts';

export interface MemoryRegion extends Region {
  readonly known: KnownSku[];
  readonly used: Usage[];
}

const sku = (size: string, family: string, cores: number, memory: number, zones: string[]): KnownSku => ({
  name: `Standard_${size}`,
  family: `standard${family}Family`,
  cores,
  memory,
  zones,
  spot: family !== 'BS',
});

/** A region of a few sizes; without quotas unless a test sets some. */
export function memoryRegion(now: () => Date = () => new Date()): MemoryRegion {
  const known = [
    sku('B2s', 'BS', 2, 4096, ['1', '2', '3']),
    sku('D2s_v5', 'DSv5', 2, 8192, ['1', '2', '3']),
    sku('D4s_v5', 'DSv5', 4, 16_384, ['1', '2', '3']),
  ];
  const used: Usage[] = [];
  return { known, used, skus: async () => known, usages: async () => ({ at: now(), of: used }) };
}
