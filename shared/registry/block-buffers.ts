/** Bytes of a block: larger ones are no faster. A blob has at most 50,000, so what comes this way has at most 48 GiB. */
export const BLOCK = 1024 * 1024;
/** Blocks of all uploads of this process that are on their way to storage at once. */
const IN_FLIGHT = 6;

/** Buffers that are kept for the next: as many as eight uploads at once have. */
const FREE = IN_FLIGHT + 8;

/**
 * The memory of this process's uploads: each has one block that it fills, and few blocks of all of them are on their way. Who
 * has a full one waits until one of those has arrived, which depends on storage alone, never on another client. Buffers are used
 * again: the garbage of blocks would come faster than it is collected.
 */
export class BlockBuffers {
  readonly #free: Buffer[] = [];
  readonly #waiting: (() => void)[] = [];
  #flying = 0;

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK);
  }

  /** For a buffer that nobody reads or writes any more. */
  giveBack(buffer: Buffer): void {
    if (this.#free.length < FREE) this.#free.push(buffer);
  }

  /** Waits for a turn, in the order of asking. @returns what ends it */
  async turn(): Promise<() => void> {
    if (this.#flying < IN_FLIGHT) this.#flying += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return () => {
      // The turn goes on to whoever waits longest.
      const next = this.#waiting.shift();
      if (next === undefined) this.#flying -= 1;
      else next();
    };
  }
}

export const blockBuffers = new BlockBuffers();
