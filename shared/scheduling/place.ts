/** What something needs of a machine. Cores (fractions), MiB, and whether it needs a port there. */
export interface Demand {
  readonly cpu: number;
  readonly memory: number;
  readonly port: boolean;
}

/** One machine of a pool as placement sees it. */
export interface Room {
  readonly machine: string;
  /** What containers may use, and what is left of it. */
  readonly cpu: number;
  readonly memory: number;
  readonly freeCpu: number;
  readonly freeMemory: number;
  readonly ports: readonly number[];
  /** Where the search for a free port begins: one that was just given up is not given again at once. */
  readonly nextPort: number;
  /** False for machines that are silent, retiring or failed. */
  readonly usable: boolean;
  /** Not ready yet: chosen only when no ready one has room. */
  readonly coming: boolean;
  /** Replicas of the same service there: fewer is better, one lost machine then takes fewer with it. */
  readonly siblings: number;
}

export type Placement =
  | { readonly machine: string; readonly port: number | undefined; readonly reason: string }
  | { readonly machine: undefined; readonly reason: string };

/** Ports of machines that Berth gives to replicas. */
export const FIRST_PORT = 20_000;
export const LAST_PORT = 29_999;
/** Sums of fractions such as 0.1 are not exact. */
const EPSILON = 1e-9;

/**
 * Chooses a machine: ready before coming, then the one with the fewest siblings, then the fullest, so that others stay
 * empty and can go.
 */
export function place(demand: Demand, rooms: readonly Room[], avoid: readonly string[] = []): Placement {
  const refusals = new Map<string, number>();
  const refuse = (reason: string) => void refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
  let best: { room: Room; port: number | undefined } | undefined;
  for (const room of rooms) {
    const refusal = refusalOf(demand, room, avoid);
    if (refusal !== undefined) {
      refuse(refusal);
      continue;
    }
    const port = demand.port ? freePort(room.ports, room.nextPort) : undefined;
    if (demand.port && port === undefined) refuse('no free port');
    else if (best === undefined || isBetter(room, best.room)) best = { room, port };
  }
  if (best !== undefined)
    return {
      machine: best.room.machine,
      port: best.port,
      reason: best.room.coming ? 'it is on its way and has room' : 'it has room',
    };
  const words = [...refusals].map(([reason, count]) => `${count} ${reason}`).join(', ');
  const wanted = `${round(demand.cpu)} cores and ${demand.memory} MiB`;
  return {
    machine: undefined,
    reason: `no machine has room for ${wanted}: ${words === '' ? 'there is none' : `of ${rooms.length}: ${words}`}`,
  };
}

function refusalOf(demand: Demand, room: Room, avoid: readonly string[]): string | undefined {
  if (!room.usable) return 'not usable';
  if (avoid.includes(room.machine)) return 'did not answer';
  if (room.freeCpu + EPSILON < demand.cpu) return 'too few free cores';
  if (room.freeMemory + EPSILON < demand.memory) return 'too little free memory';
  return undefined;
}

function isBetter(a: Room, b: Room): boolean {
  if (a.coming !== b.coming) return b.coming;
  if (a.siblings !== b.siblings) return a.siblings < b.siblings;
  return fullness(a) > fullness(b);
}

const fullness = (room: Room) => 2 - room.freeCpu / room.cpu - room.freeMemory / room.memory;

/** The first free one from `from` on, round again at the end: the same snapshot gives the same port. */
export function freePort(taken: readonly number[], from = FIRST_PORT): number | undefined {
  const used = new Set(taken);
  const count = LAST_PORT - FIRST_PORT + 1;
  for (let step = 0; step < count; step += 1) {
    const port = FIRST_PORT + ((from - FIRST_PORT + step) % count);
    if (!used.has(port)) return port;
  }
  return undefined;
}

const round = (number: number) => Number(number.toFixed(3));
