/** Shows what is being done, step by step, with the time that each took. */
export interface Progress {
  /** Runs a step; its notes replace one another on a terminal and are lines elsewhere. */
  step<T>(title: string, work: (note: (text: string) => void) => Promise<T>): Promise<T>;
  /** A line of its own. */
  line(text: string): void;
}

/** Where progress is written; on a terminal the current step's line is rewritten. */
export interface Screen {
  readonly isTTY: boolean;
  /** At least 40. */
  readonly columns: number;
  readonly color: boolean;
  write(text: string): void;
}

export function progress(screen: Screen, now: () => number): Progress {
  const began = now();
  const elapsed = (since: number): string => `${((now() - since) / 1000).toFixed(1)} s`;
  const paint = (code: number, text: string): string =>
    screen.color ? `\u001b[${code}m${text}\u001b[0m` : text;
  const clock = (): string => paint(2, `${((now() - began) / 1000).toFixed(1).padStart(6)}s`);
  const clear = (): void => {
    if (screen.isTTY) screen.write('\r\u001b[2K');
  };
  const show = (title: string, note: string): void => {
    if (screen.isTTY)
      screen.write(
        `\r\u001b[2K${clock()}  ${`… ${title}${note === '' ? '' : `: ${note}`}`.slice(0, screen.columns - 12)}`,
      );
    else if (note !== '') screen.write(`${clock()}    ${note}\n`);
  };

  return {
    line(text) {
      clear();
      screen.write(`${text}\n`);
    },
    async step(title, work) {
      const since = now();
      let note = '';
      show(title, note);
      const tick = screen.isTTY ? setInterval(() => show(title, note), 200) : undefined;
      try {
        const result = await work((text) => {
          note = text;
          show(title, note);
        });
        clear();
        screen.write(`${clock()}  ${paint(32, '✓')} ${title} (${elapsed(since)})\n`);
        return result;
      } catch (error) {
        clear();
        screen.write(`${clock()}  ${paint(31, '✗')} ${title} (${elapsed(since)})\n`);
        throw error;
      } finally {
        clearInterval(tick);
      }
    },
  };
}
