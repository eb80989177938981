import type { MachineName } from '../model/names.ts';
import { type Demand, demandText, type Request, requestOf } from './demand.ts';
import { type Candidate, fits, refusalsOf } from './fit.ts';
import { classIn, scoreOf } from './score.ts';

export type Placement =
  | { readonly machine: MachineName; readonly reason: string }
  | { readonly machine: undefined; readonly reason: string };

/**
 * Chooses a machine: ready before coming, then (where it is spread by zone) in the zone with the fewest replicas of the
 * same revision, then the machine with the fewest, then by the strategy the fullest or the emptiest. Of equals the first.
 */
export function place(
  demand: Demand,
  group: string,
  candidates: readonly Candidate[],
  avoid: readonly string[] = [],
): Placement {
  const request = requestOf(demand, group);
  const best = bestOf(request, candidates, avoid);
  return best === undefined
    ? { machine: undefined, reason: noRoomText(demand, request, candidates, avoid) }
    : { machine: best.machine, reason: chosenText(best) };
}

export function bestOf(
  request: Request,
  candidates: readonly Candidate[],
  avoid: readonly string[],
): Candidate | undefined {
  const zones = request.spread === 'zone' ? zonesOf(request, candidates) : undefined;
  let best: { candidate: Candidate; score: number } | undefined;
  for (const candidate of candidates) {
    if (!fits(request, candidate) || (avoid.length > 0 && avoid.includes(candidate.machine))) continue;
    const score = scoreOf(request, candidate);
    if (best === undefined || isBetter({ candidate, score }, best, zones)) best = { candidate, score };
  }
  return best?.candidate;
}

/** @param zones how many of the set each has; undefined: zones count for nothing */
export function isBetter(
  one: { readonly candidate: Candidate; readonly score: number },
  other: { readonly candidate: Candidate; readonly score: number },
  zones: ReadonlyMap<string, number> | undefined,
): boolean {
  if (zones !== undefined && classIn(one.score) === classIn(other.score)) {
    const [a, b] = [zones.get(zoneOf(one.candidate)) ?? 0, zones.get(zoneOf(other.candidate)) ?? 0];
    if (a !== b) return a < b;
  }
  return one.score < other.score;
}

export const zoneOf = ({ zone = '' }: Candidate): string => zone;

/** Replicas of the set in each zone, whatever their machines' state. */
function zonesOf({ set }: Request, candidates: readonly Candidate[]): Map<string, number> {
  const zones = new Map<string, number>();
  for (const candidate of candidates) {
    const zone = zoneOf(candidate);
    zones.set(zone, (zones.get(zone) ?? 0) + candidate.countOf(set));
  }
  return zones;
}

export const chosenText = ({ coming }: Candidate): string =>
  coming ? 'it is on its way and has room' : 'it has room';

/** What speaks against how many machines, each counted with what weighs most. */
export function noRoomText(
  demand: Demand,
  request: Request,
  candidates: readonly Candidate[],
  avoid: readonly string[],
): string {
  const counts = new Map<string, number>();
  for (const candidate of candidates) {
    const words = refusalsOf(request, candidate, avoid)[0]?.words ?? 'not taken';
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  const words = [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return `no machine has room for ${demandText(demand)}: ${words === '' ? 'there is none' : `of ${candidates.length}: ${words}`}`;
}
