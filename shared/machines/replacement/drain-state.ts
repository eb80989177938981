import type { Cordon } from '../../model/machine.ts';
import type { Reservation } from '../../scheduling/rows.ts';
import { USUAL_DRAIN_MS } from './cordon.ts';

/** What is still on a machine that is drained. */
export interface Left {
  /** Ids of services with replicas there. */
  readonly services: readonly string[];
  /** Names of the containers of runs of jobs. */
  readonly runs: readonly string[];
}

/** `<run>.a<attempt>`, as runs of jobs name their containers. */
const OF_RUN = /^ev-[0-9a-f]{40}(-\d+)?\.a\d+$/;

/** Sorts what is reserved on a machine. Pure. */
export function leftOn(machine: string, reservations: readonly Reservation[]): Left {
  const there = reservations.filter((one) => one.machine === machine);
  const isRun = ({ reservation }: Reservation) => OF_RUN.test(reservation);
  return {
    services: [...new Set(there.filter((one) => !isRun(one)).map(({ group }) => group))],
    runs: there.filter(isRun).map(({ reservation }) => reservation),
  };
}

export const isEmpty = ({ services, runs }: Left): boolean => services.length === 0 && runs.length === 0;

/** When runs that are still going are stopped; milliseconds since 1970. */
export const runsEndAt = ({ by, since, until }: Pick<Cordon, 'by' | 'since' | 'until'>): number =>
  until === undefined
    ? Date.parse(since) + USUAL_DRAIN_MS
    : Date.parse(until) - (by === 'eviction' || by === 'maintenance' ? BEFORE_THE_END : 0);

/** Azure stops a machine without waiting for anybody: runs have to be stopped before. Milliseconds. */
const BEFORE_THE_END = 12_000;

const SECOND = 1_000;

/** How long until the next look: short where little time is given. Milliseconds. @param looks before this one */
export function pauseBetweenLooks(cordon: Cordon, now: Date, looks: number): number {
  const left = runsEndAt(cordon) - now.getTime();
  const usual = Math.min(15 * SECOND, SECOND * 1.5 ** Math.min(looks, 20));
  return Math.round(cordon.by === 'eviction' || left < 60 * SECOND ? Math.min(usual, 2 * SECOND) : usual);
}
