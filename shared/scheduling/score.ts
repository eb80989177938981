import type { Request } from './demand.ts';
import { fullnessOf } from './figures.ts';
import type { Candidate } from './fit.ts';

/** Above all differences within one class of machines (ready or coming, with GPUs or without). */
const CLASS = 1e7;
const MOST = 999;

/** Ready before coming; where no GPU is asked for, machines without any before those with. */
const classOf = ({ gpu }: Request, { coming, gpu: has }: Candidate): number =>
  (coming ? 2 : 0) + (gpu === 0 && has > 0 ? 1 : 0);

/**
 * How much a machine is to be preferred, less is better, among those of one zone: by its class, by the replicas of the
 * same revision there, then of the same service, then by how full it is. One number, since it is compared often.
 */
export const scoreOf = (request: Request, candidate: Candidate): number =>
  scoreFrom(
    request,
    classOf(request, candidate),
    request.spread === 'none' ? 0 : siblingsOf(request, candidate),
    fullnessOf(candidate),
  );

/** The same from its parts. */
export function scoreFrom({ strategy }: Request, kind: number, siblings: number, full: number): number {
  const fullness = Math.min(3, Math.max(0, strategy === 'spread' ? full : 2 - full));
  return kind * CLASS + siblings * 4 + fullness;
}

export function siblingsOf({ set, group }: Request, candidate: Candidate): number {
  const all = candidate.countOf(group);
  return all === 0 ? 0 : Math.min(MOST, candidate.countOf(set)) * (MOST + 1) + Math.min(MOST, all);
}

/** The class that a score is of. */
export const classIn = (score: number): number => Math.floor(score / CLASS);
