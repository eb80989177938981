import { bytesText, type Paint } from '../output.ts';

/** What is shown of one thing that takes a while. */
export interface Line {
  /** What happens to it now, and of how many bytes. */
  phase(name: string, total: number): void;
  add(bytes: number): void;
  /** Bytes of this phase in all. */
  set(bytes: number): void;
  end(outcome: string): void;
}

export interface Progress {
  line(name: string): Line;
  /** Ends the drawing; what stands there stays. */
  stop(): void;
}

interface State {
  readonly name: string;
  phase: string;
  done: number;
  total: number;
  outcome: string | undefined;
}

const BAR = 24;
/** Milliseconds between two drawings. */
const FRAME = 100;

export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

/** Bars that move on a terminal; elsewhere a line when something ends. */
export function makeProgress(screen: Screen, paint: Paint): Progress {
  const states: State[] = [];
  const isTerminal = screen.isTTY === true;
  let drawn = 0;
  const draw = (): void => {
    // What does not fit on the screen cannot be drawn over.
    const shown = states.slice(-Math.max(1, (screen.rows ?? 24) - 2));
    const width = (screen.columns || 80) - 1;
    const up = drawn === 0 ? '' : `\x1b[${drawn}A`;
    screen.write(`${up}${shown.map((state) => `\x1b[2K${textOf(state, width, paint)}\n`).join('')}`);
    drawn = shown.length;
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    line(name) {
      const state: State = { name, phase: 'waiting', done: 0, total: 0, outcome: undefined };
      states.push(state);
      if (isTerminal) timer ??= setInterval(draw, FRAME);
      return {
        phase(phase, total) {
          state.phase = phase;
          state.done = 0;
          state.total = total;
        },
        add(bytes) {
          state.done += bytes;
        },
        set(bytes) {
          state.done = bytes;
        },
        end(outcome) {
          state.outcome = outcome;
          if (!isTerminal) screen.write(`${name}  ${outcome}\n`);
        },
      };
    },
    stop() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      draw();
      drawn = 0;
      states.length = 0;
    },
  };
}

/** `sha256:0123abcd4567  [=========>      ]  12.3 MB of 45.6 MB  sending`, cut to the terminal's width. */
function textOf({ name, phase, done, total, outcome }: State, width: number, paint: Paint): string {
  if (outcome !== undefined) return paint('green', `${name}  ${outcome}`.slice(0, width));
  if (total === 0) return paint('dim', `${name}  ${phase}`.slice(0, width));
  const part = Math.min(1, Math.max(0, done / total));
  const filled = Math.round(part * BAR);
  const bar = `${'='.repeat(Math.max(0, filled - 1))}${filled > 0 ? '>' : ''}`.padEnd(BAR);
  return `${name}  [${bar}]  ${bytesText(Math.max(0, done))} of ${bytesText(total)}  ${phase}`.slice(
    0,
    width,
  );
}
