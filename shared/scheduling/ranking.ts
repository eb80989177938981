import type { Request } from './demand.ts';
import type { Figures } from './figures.ts';
import { type Candidate, fitsCounts, fitsFacts, freeGpus } from './fit.ts';
import { isBetter, zoneOf } from './place.ts';
import { scoreFrom, siblingsOf } from './score.ts';
import { ScoreHeap } from './score-heap.ts';

/** The machines of a pool, by number. */
interface Numbered {
  readonly candidates: readonly Candidate[];
  readonly figures: Figures;
  /** Of which something is on some machine, or was. */
  readonly groups: ReadonlySet<string>;
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
  /** Whether a condition is on machines by their names. */
  readonly #isNamed: boolean;
  /** By kind of machine, whether it fulfils the conditions. */
  readonly #kinds: boolean[] = [];
  /** The heap of machines without a zone, or of all. */
  #plain: ScoreHeap | undefined = undefined;
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
    this.#isNamed = request.constraints.some(({ on }) => on === 'machine');
    this.#build(isFirst);
  }

  #build(isFirst: boolean): void {
    const { candidates, groups, repelled } = this.#pool;
    const request = this.#request;
    const antiAffinity = request.antiAffinity.filter((group) => groups.has(group));
    const asked = {
      ...request,
      antiAffinity,
      atMost: isFirst ? Number.POSITIVE_INFINITY : request.atMost,
    };
    const counts =
      asked.fixed.length > 0 ||
      asked.affinity.length > 0 ||
      antiAffinity.length > 0 ||
      asked.atMost !== Number.POSITIVE_INFINITY;
    const mayRepel = repelled.has(request.group);
    for (let at = 0; at < candidates.length; at += 1) {
      const candidate = candidates[at];
      if (candidate === undefined) continue;
      const fit =
        this.#fitsAtOnce(at, candidate) &&
        !(mayRepel && candidate.repels(request.group)) &&
        (!counts || fitsCounts(asked, candidate));
      if (fit) this.#heapOf(candidate).append(at, this.#scoreOf(at, candidate, isFirst));
      if (this.#zones !== undefined && !isFirst) this.#countZone(at, candidate, this.#zones);
    }
    for (const heap of this.#heaps.values()) heap.order();
  }

  /** Of how many machines it knows; where there are more by now, another is to be made. */
  get size(): number {
    return this.#places.length;
  }

  /** What became of a machine. */
  look(at: number): void {
    const candidate = this.#pool.candidates[at];
    if (candidate === undefined) return;
    const request = this.#request;
    const heap = this.#heapOf(candidate);
    const fit =
      this.#fitsAtOnce(at, candidate) && !candidate.repels(request.group) && fitsCounts(request, candidate);
    if (fit) heap.put(at, this.#scoreOf(at, candidate, false));
    else heap.remove(at);
    if (this.#zones !== undefined) this.#countZone(at, candidate, this.#zones);
  }

  #countZone(at: number, candidate: Candidate, zones: Map<string, number>): void {
    const zone = zoneOf(candidate);
    const count = candidate.countOf(this.#request.set);
    zones.set(zone, (zones.get(zone) ?? 0) + count - (this.#counts[at] ?? 0));
    this.#counts[at] = count;
  }

  /** All but counts: figures, and conditions, which are asked once for each kind of machine. */
  #fitsAtOnce(at: number, candidate: Candidate): boolean {
    const { figures } = this.#pool;
    const request = this.#request;
    if (!figures.mayFit(at, request)) return false;
    if (request.gpu > 0 && freeGpus(candidate) < request.gpu) return false;
    if (request.constraints.length === 0) return true;
    if (this.#isNamed) return fitsFacts(request, candidate);
    const kind = figures.kindOf(at);
    let fulfils = this.#kinds[kind];
    if (fulfils === undefined) {
      fulfils = fitsFacts(request, candidate);
      this.#kinds[kind] = fulfils;
    }
    return fulfils;
  }

  #scoreOf(at: number, candidate: Candidate, isFirst: boolean): number {
    const { figures } = this.#pool;
    const request = this.#request;
    const siblings = isFirst || request.spread === 'none' ? 0 : siblingsOf(request, candidate);
    return scoreFrom(request, figures.classOf(at, request.gpu), siblings, figures.fullness(at));
  }

  #heapOf(candidate: Candidate): ScoreHeap {
    const zone = this.#zones === undefined ? '' : zoneOf(candidate);
    if (zone === '' && this.#plain !== undefined) return this.#plain;
    const known = this.#heaps.get(zone);
    if (known !== undefined) return known;
    const heap = new ScoreHeap(this.#places, this.#scores);
    this.#heaps.set(zone, heap);
    if (zone === '') this.#plain = heap;
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
