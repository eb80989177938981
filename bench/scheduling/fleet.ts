import { Machine } from '../../shared/model/machine.ts';
import type { Change, Snapshot } from '../../shared/scheduling/decide.ts';
import type { Demand } from '../../shared/scheduling/demand.ts';

/** Machines of a pool: three sizes in three zones, a third of them with fast disks. */
export function fleet(count: number): Snapshot {
  const sizes = [
    { size: 'Standard_D4s_v5', cpu: 4, memory: 14_745 },
    { size: 'Standard_D8s_v5', cpu: 8, memory: 29_491 },
    { size: 'Standard_D16s_v5', cpu: 16, memory: 58_982 },
  ] as const;
  const machines = Array.from({ length: count }, (_, index): Machine => {
    const { size, cpu, memory } = sizes[index % 3] ?? sizes[0];
    return Machine.parse({
      name: `batch-${index}`,
      pool: 'batch',
      size,
      cpu,
      memory,
      image: 'Debian:debian-12:12-gen2:latest',
      resources: { vm: `vm-${index}`, nic: `nic-${index}`, disk: `disk-${index}` },
      vmId: `/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm-${index}`,
      address: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
      zone: String(1 + ((index % 7) % 3)),
      labels: index % 5 < 2 ? { disk: 'ssd' } : { disk: 'hdd' },
      status: { state: 'ready', since: '2026-11-30T12:00:00.000Z' },
      owner: 'bench',
    });
  });
  return { machines, rooms: [], reservations: [] };
}

type Reserve = Extract<Change, { kind: 'reserve' }>;

/** Replicas of services of 100 each, ten kinds of wishes in turn. */
export function replicas(count: number): Reserve[] {
  return Array.from({ length: count }, (_, index): Reserve => {
    const service = Math.floor(index / 100);
    const group = `prod.shop.s${service}`;
    return {
      kind: 'reserve',
      reservation: `${group}.r1.${index % 100}.g1`,
      group,
      demand: demandOf(service),
      avoid: [],
      owner: `ev-${service}`,
    };
  });
}

function demandOf(service: number): Demand {
  const base = {
    cpu: [0.1, 0.25, 0.5, 1][service % 4] ?? 0.1,
    memory: [128, 256, 512, 1024, 2048][service % 5] ?? 128,
    port: service % 3 !== 0,
    set: `prod.shop.s${service}.r1`,
  };
  const wishes: Demand['wishes'][] = [
    undefined,
    undefined,
    { spread: 'zone' },
    { constraints: ['label.disk == ssd'] },
    { constraints: ['zone != 2', 'size != Standard_D4s_v5'] },
    { strategy: 'spread' },
    { spread: 'none' },
    { atMost: 1 },
    { antiAffinity: [`prod.shop.s${service - 1}`] },
    { spread: 'zone', constraints: ['label.disk == hdd'], atMost: 2 },
  ];
  const wish = wishes[service % 10];
  return {
    ...base,
    ...(wish && { wishes: wish }),
    ...(service % 10 === 7 && { fixed: [`${9000 + service}/tcp`] }),
  };
}

/** The same order for the same seed. https://en.wikipedia.org/wiki/Fisher%E2%80%93Yates_shuffle, mulberry32 */
export function shuffled<T>(values: readonly T[], seed: number): T[] {
  const result = [...values];
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  for (let at = result.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    const [a, b] = [result[at], result[other]];
    if (a === undefined || b === undefined) continue;
    result[at] = b;
    result[other] = a;
  }
  return result;
}
