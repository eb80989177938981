import { type Demand, type Request, requestOf, sameDemand } from './demand.ts';
import { Figures } from './figures.ts';
import type { Candidate } from './fit.ts';
import { chosenText, noRoomText, type Placement } from './place.ts';
import { Ranking } from './ranking.ts';
import type { Reservation } from './rows.ts';

interface Kind {
  readonly demand: Demand;
  readonly request: Request;
  ranking?: Ranking;
  /** Why there was no room, and after how many changes. */
  refused?: { readonly reason: string; readonly after: number };
}

/** Machines times kinds that are kept in order, about 20 bytes each: beyond that the oldest kind is forgotten. */
const MOST_RANKED = 1_000_000;

/**
 * The machines of a pool while many things are placed on them, one after the other. What is asked for again and again
 * (replicas of one revision) is chosen from an order that is kept, in which only machines that changed move; each choice is
 * the one that `place` would make.
 */
export class PlacementIndex {
  readonly #candidates: Candidate[] = [];
  readonly #figures = new Figures();
  readonly #repelled = new Set<string>();
  readonly #numbers = new Map<string, number>();
  /** Numbers of machines that changed, in turn. */
  readonly #changes: number[] = [];
  /** By what is placed: usually one kind each, since replicas of one revision need the same. */
  readonly #kinds = new Map<string, Kind[]>();

  /** Of which something is on some machine, or was. */
  readonly #groups = new Set<string>();

  constructor(candidates: Iterable<Candidate> = []) {
    for (const candidate of candidates) this.put(candidate);
    this.#changes.length = 0;
  }

  get(machine: string): Candidate | undefined {
    const number = this.#numbers.get(machine);
    return number === undefined ? undefined : this.#candidates[number];
  }

  /** A machine that is new, or has changed. @param placed what was placed there, where that is the change */
  put(candidate: Candidate, placed?: Pick<Reservation, 'group' | 'set' | 'wishes'>): void {
    let number = this.#numbers.get(candidate.machine);
    if (number === undefined) {
      number = this.#candidates.length;
      this.#numbers.set(candidate.machine, number);
    }
    if (this.#candidates[number] === candidate) this.#figures.set(number, candidate);
    else this.#figures.add(number, candidate);
    this.#candidates[number] = candidate;
    this.#changes.push(number);
    const groups = placed === undefined ? candidate.groups() : [placed.group, placed.set ?? placed.group];
    const repelled = placed === undefined ? candidate.repelled() : (placed.wishes?.antiAffinity ?? []);
    for (const group of groups) this.#groups.add(group);
    for (const group of repelled) this.#repelled.add(group);
  }

  place(demand: Demand, group: string, avoid: readonly string[] = []): Placement {
    const known = this.#known(demand, group);
    const kind: Kind = known ?? { demand, request: requestOf(demand, group) };
    if (known === undefined) this.#remember(kind);
    const best = this.#ranked(kind, avoid);
    return best === undefined
      ? { machine: undefined, reason: this.#refusal(kind, avoid) }
      : { machine: best.machine, reason: chosenText(best) };
  }

  #ranked(kind: Kind, avoid: readonly string[]): Candidate | undefined {
    let { ranking } = kind;
    const behind = ranking === undefined ? 0 : this.#changes.length - ranking.seen;
    if (ranking === undefined || ranking.size < this.#candidates.length || behind > this.#candidates.length)
      ranking = kind.ranking = this.#rank(kind.request);
    else
      for (let at = ranking.seen; at < this.#changes.length; at += 1) {
        const number = this.#changes[at];
        if (number !== undefined) ranking.look(number);
      }
    ranking.seen = this.#changes.length;
    const best = ranking.best(avoid);
    return best === undefined ? undefined : this.#candidates[best];
  }

  #rank(request: Request): Ranking {
    const { group, set } = request;
    const pool = {
      candidates: this.#candidates,
      figures: this.#figures,
      groups: this.#groups,
      repelled: this.#repelled,
    };
    return new Ranking(request, pool, !this.#groups.has(group) && !this.#groups.has(set));
  }

  #known(demand: Demand, group: string): Kind | undefined {
    const kinds = this.#kinds.get(demand.set ?? group);
    return kinds?.find((one) => one.request.group === group && sameDemand(one.demand, demand));
  }

  #remember(kind: Kind): void {
    const [oldest] = this.#kinds.keys();
    if (this.#kinds.size * this.#candidates.length >= MOST_RANKED && oldest !== undefined)
      this.#kinds.delete(oldest);
    const others = this.#kinds.get(kind.request.set) ?? [];
    this.#kinds.set(kind.request.set, [...others, kind]);
  }

  /** Counting what speaks against each machine takes as long as looking at them all: it is not done twice for the same. */
  #refusal(kind: Kind, avoid: readonly string[]): string {
    const after = this.#changes.length;
    if (avoid.length === 0 && kind.refused?.after === after) return kind.refused.reason;
    const reason = noRoomText(kind.demand, kind.request, this.#candidates, avoid);
    if (avoid.length === 0) kind.refused = { reason, after };
    return reason;
  }
}
