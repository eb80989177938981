import type { Request } from './demand.ts';
import type { Figures } from './figures.ts';
import { type Candidate, fits } from './fit.ts';
import { isBetter, zoneOf } from './place.ts';
import { scoreFrom, siblingsOf } from './score.ts';
import { ScoreHeap } from './score-heap.ts';

/** The machines of a pool, by number. */
export interface Numbered {
  readonly candidates: readonly Candidate[];
  readonly figures: Figures;
  /** Groups that something somewhere does not want beside it. */
  readonly repelled: ReadonlySet<string>;
}

/** The machines that one kind of request may be placed on, best first; kept while it is asked for again and again. */
export class Ranking {
  readonly #request: Request;
  readonly #pool: Numbered;
  /** One heap for each zone where replicas are spread by zones, otherwise one. */
  readonly #heaps = new Map<string, ScoreHeap>();
  readonly #places: Int32Array;
  readonly #scores: Float64Array;
  /** Of the set, on each machine, and in each zone. */
  readonly #counts: Int32Array;
  readonly #zones: Map<string, number> | undefined;
  /** Changes that it has seen. */
  seen = 0;

  /** @param isFirst whether nothing of the request's group is on any machine yet: nothing has to be counted */
  constructor(request: Request, pool: Numbered, isFirst: boolean) {
    const count = pool.candidates.length;
    this.#request = request;
    this.#pool = pool;
    this.#places = new Int32Array(count).fill(-1);
    this.#scores = new Float64Array(count);
    this.#counts = new Int32Array(request.spread === 'zone' ? count : 0);
    this.#zones = request.spread === 'zone' ? new Map() : undefined;
    for (let at = 0; at < count; at += 1) this.#look(at, isFirst, false);
    for (const heap of this.#heaps.values()) heap.order();
  }

  /** Of how many machines it knows; where there are more by now, another is to be made. */
  get size(): number {
    return this.#places.length;
  }

  /** What became of a machine. */
  look(at: number): void {
    this.#look(at, false, true);
  }

  #look(at: number, isFirst: boolean, isOrdered: boolean): void {
    const candidate = this.#pool.candidates[at];
    if (candidate === undefined) return;
    const zone = this.#zones === undefined ? '' : zoneOf(candidate);
    const heap = this.#heapOf(zone);
    if (!this.#fits(at, candidate)) heap.remove(at);
    else if (isOrdered) heap.put(at, this.#scoreOf(at, candidate, false));
    else heap.append(at, this.#scoreOf(at, candidate, isFirst));
    if (this.#zones === undefined || isFirst) return;
    const count = candidate.countOf(this.#request.set);
    this.#zones.set(zone, (this.#zones.get(zone) ?? 0) + count - (this.#counts[at] ?? 0));
    this.#counts[at] = count;
  }

  #fits(at: number, candidate: Candidate): boolean {
    const { figures, repelled } = this.#pool;
    const request = this.#request;
    if (!figures.mayFit(at, request)) return false;
    if (request.plain && request.gpu === 0 && !repelled.has(request.group)) return true;
    return fits(request, candidate);
  }

  #scoreOf(at: number, candidate: Candidate, isFirst: boolean): number {
    const { figures } = this.#pool;
    const request = this.#request;
    const siblings = isFirst || request.spread === 'none' ? 0 : siblingsOf(request, candidate);
    return scoreFrom(request, figures.classOf(at, request.gpu), siblings, figures.fullness(at));
  }

  #heapOf(zone: string): ScoreHeap {
    const known = this.#heaps.get(zone);
    if (known !== undefined) return known;
    const heap = new ScoreHeap(this.#places, this.#scores);
    this.#heaps.set(zone, heap);
    return heap;
  }

  /** The best one that is not to be avoided. */
  best(avoid: readonly string[]): number | undefined {
    let best: { at: number; candidate: Candidate; score: number } | undefined;
    for (const heap of this.#heaps.values()) {
      const at = avoid.length === 0 ? heap.first : this.#firstOf(heap, avoid);
      const candidate = at === undefined ? undefined : this.#pool.candidates[at];
      if (at === undefined || candidate === undefined) continue;
      const one = { at, candidate, score: this.#scores[at] ?? 0 };
      if (
        best === undefined ||
        isBetter(one, best, this.#zones) ||
        (!isBetter(best, one, this.#zones) && at < best.at)
      )
        best = one;
    }
    return best?.at;
  }

  #firstOf(heap: ScoreHeap, avoid: readonly string[]): number | undefined {
    const passed: number[] = [];
    const isAvoided = (at: number) => avoid.includes(this.#pool.candidates[at]?.machine ?? '');
    while (heap.first !== undefined && isAvoided(heap.first)) {
      passed.push(heap.first);
      heap.remove(heap.first);
    }
    const { first } = heap;
    for (const at of passed) heap.put(at, this.#scores[at] ?? 0);
    return first;
  }
}
