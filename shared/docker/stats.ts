import { z } from 'zod';
import type { ContainerUsage } from './access.ts';

/** Of GET /containers/{id}/stats, as far as it is used; control groups of both versions. */
export const Stats = z.object({
  read: z.string(),
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }),
  memory_stats: z
    .object({
      usage: z.number().optional(),
      limit: z.number().optional(),
      stats: z.record(z.string(), z.number()).nullish(),
    })
    .default({}),
  networks: z.record(z.string(), z.object({ rx_bytes: z.number(), tx_bytes: z.number() })).nullish(),
});

/** Undefined for a container that does not run: the engine then gives no counters. */
export function usageOf(stats: z.infer<typeof Stats>): ContainerUsage | undefined {
  const { read, cpu_stats, memory_stats, networks } = stats;
  if (memory_stats.usage === undefined || read.startsWith('0001')) return undefined;
  const { usage, limit = 0, stats: parts } = memory_stats;
  const cached = parts?.['total_inactive_file'] ?? parts?.['inactive_file'] ?? 0;
  const sum = (pick: 'rx_bytes' | 'tx_bytes') =>
    Object.values(networks ?? {}).reduce((all, network) => all + network[pick], 0);
  return {
    time: read,
    cpu: cpu_stats.cpu_usage.total_usage / 1e9,
    memory: Math.max(0, usage - cached),
    // Without a limit the engine names all that there is, or more.
    memoryLimit: limit < 2 ** 50 ? limit : 0,
    received: sum('rx_bytes'),
    sent: sum('tx_bytes'),
  };
}
