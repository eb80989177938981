/** Work that is under way is joined, not begun again: one run for each key in this process. */
export class SingleFlight<T> {
  readonly #flying = new Map<string, Promise<T>>();

  run(key: string, work: () => Promise<T>): Promise<T> {
    const going = this.#flying.get(key);
    if (going !== undefined) return going;
    const begun = work().finally(() => this.#flying.delete(key));
    this.#flying.set(key, begun);
    return begun;
  }
}
