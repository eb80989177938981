/**
 * What this host is working on, by partition and row: the sweep leaves it alone. A timer keeps its handle, so that it can be
 * taken back.
 */
export class Work {
  readonly #running = new Map<string, NodeJS.Timeout | undefined>();

  has(id: string, row: string): boolean {
    return this.#running.has(keyOf(id, row));
  }

  begin(id: string, row: string): void {
    this.#running.set(keyOf(id, row), undefined);
  }

  wait(id: string, row: string, milliseconds: number, due: () => void): void {
    const timer = setTimeout(due, milliseconds);
    timer.unref();
    this.#running.set(keyOf(id, row), timer);
  }

  end(id: string, row: string): void {
    clearTimeout(this.#running.get(keyOf(id, row)));
    this.#running.delete(keyOf(id, row));
  }

  close(): void {
    for (const timer of this.#running.values()) clearTimeout(timer);
  }
}

const keyOf = (id: string, row: string): string => `${id}\u0000${row}`;
