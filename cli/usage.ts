import type { ReplicaUsage } from '../shared/api/routes/usage.ts';

/** What one used between two samples. */
export interface Rates {
  readonly name: string;
  readonly machine: string;
  /** Cores; bytes; bytes each second. Undefined where it cannot be told. */
  readonly cpu: number | undefined;
  readonly memory: number | undefined;
  readonly memoryLimit: number | undefined;
  readonly received: number | undefined;
  readonly sent: number | undefined;
}

const nameOf = ({ key, replica }: ReplicaUsage): string => `${key.application}/${key.service}/${replica}`;

/** Pure: rates of what is in the later sample; one that is new, or began again, has none yet. */
export function ratesOf(before: readonly ReplicaUsage[], after: readonly ReplicaUsage[]): readonly Rates[] {
  const earlier = new Map(before.map((one) => [nameOf(one), one.usage] as const));
  return after.map((one) => {
    const name = nameOf(one);
    const { machine, usage } = one;
    const first = earlier.get(name);
    const seconds =
      usage === undefined || first === undefined
        ? 0
        : (Date.parse(usage.time) - Date.parse(first.time)) / 1000;
    const rate = (pick: 'cpu' | 'received' | 'sent'): number | undefined =>
      usage === undefined || first === undefined || seconds <= 0 || usage[pick] < first[pick]
        ? undefined
        : (usage[pick] - first[pick]) / seconds;
    return {
      name,
      machine,
      cpu: rate('cpu'),
      memory: usage?.memory,
      memoryLimit: usage?.memoryLimit,
      received: rate('received'),
      sent: rate('sent'),
    };
  });
}

/** Pure: sums of a machine's replicas. */
export function onMachine(rates: readonly Rates[], machine: string): Rates {
  const own = rates.filter((one) => one.machine === machine);
  const sum = (pick: 'cpu' | 'memory' | 'received' | 'sent'): number | undefined => {
    const known = own.flatMap((one) => one[pick] ?? []);
    return known.length === 0 ? undefined : known.reduce((all, one) => all + one, 0);
  };
  return {
    name: machine,
    machine,
    cpu: sum('cpu'),
    memory: sum('memory'),
    memoryLimit: undefined,
    received: sum('received'),
    sent: sum('sent'),
  };
}
