/**
 * Machines by their score, the least first, of equals the first in order: a binary heap in which a machine is found by
 * its number, so that its score can change. https://en.wikipedia.org/wiki/Binary_heap
 */
export class ScoreHeap {
  readonly #order: number[] = [];
  /** Where in the heap a machine is; absent or -1: not in it. */
  readonly #place: Int32Array;
  readonly #scores: Float64Array;

  /** @param places, @param scores by machine; heaps that never hold the same machine may share them */
  constructor(places: Int32Array, scores: Float64Array) {
    this.#place = places;
    this.#scores = scores;
  }

  get first(): number | undefined {
    return this.#order[0];
  }

  /** Puts it in, or where its new score belongs. */
  put(machine: number, score: number): void {
    this.#scores[machine] = score;
    let at = this.#place[machine] ?? -1;
    if (at < 0) {
      at = this.#order.length;
      this.#order.push(machine);
    }
    this.#sink(machine, this.#rise(machine, at));
  }

  /** Puts in one that is not there, at the end: `order` is to follow when all are. */
  append(machine: number, score: number): void {
    this.#scores[machine] = score;
    this.#set(machine, this.#order.length);
  }

  order(): void {
    for (let at = (this.#order.length >> 1) - 1; at >= 0; at -= 1) {
      const machine = this.#order[at];
      if (machine !== undefined) this.#sink(machine, at);
    }
  }

  remove(machine: number): void {
    const at = this.#place[machine] ?? -1;
    if (at < 0) return;
    this.#place[machine] = -1;
    const last = this.#order.pop();
    if (last === undefined || last === machine) return;
    this.#sink(last, this.#rise(last, at));
  }

  #isBefore(a: number, b: number): boolean {
    const [one = 0, other = 0] = [this.#scores[a], this.#scores[b]];
    return one < other || (one === other && a < b);
  }

  #set(machine: number, at: number): void {
    this.#order[at] = machine;
    this.#place[machine] = at;
  }

  /** @returns where it comes to be */
  #rise(machine: number, from: number): number {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = this.#order[above] ?? 0;
      if (!this.#isBefore(machine, other)) break;
      this.#set(other, at);
      at = above;
    }
    this.#set(machine, at);
    return at;
  }

  #sink(machine: number, from: number): void {
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      const left = this.#order[below];
      if (left === undefined) break;
      const right = this.#order[below + 1];
      let least = left;
      if (right !== undefined && this.#isBefore(right, left)) {
        below += 1;
        least = right;
      }
      if (!this.#isBefore(least, machine)) break;
      this.#set(least, at);
      at = below;
    }
    this.#set(machine, at);
  }
}
