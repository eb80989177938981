/** Where a command writes: data to stdout, words to stderr. */
export interface Output {
  /** `--json`: stdout carries one JSON value (or one a line, for what streams). */
  readonly json: boolean;
  /** A listing or a document, for people as `text` makes it. */
  data(value: unknown, text: () => string): void;
  /** A piece of a stream: `value` on a line as JSON, or `text` as it is. */
  piece(value: unknown, text: string): void;
  /** Words about what happens; never read by programs. */
  say(words: string): void;
  readonly paint: Paint;
}

export type Colour = keyof typeof codes;
export type Paint = (colour: Colour, text: string) => string;

const codes = {
  green: 32,
  red: 31,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
  dim: 2,
  bold: 1,
} as const;

/** https://no-color.org: colours only on a terminal, and never with NO_COLOR. */
export const painter =
  (isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): Paint =>
  (colour, text) =>
    isTerminal && (environment.NO_COLOR ?? '') === '' && environment.TERM !== 'dumb'
      ? `\x1b[${codes[colour]}m${text}\x1b[0m`
      : text;

export const makeOutput = (json: boolean, paint: Paint): Output => ({
  json,
  paint,
  data: (value, text) => {
    process.stdout.write(`${json ? JSON.stringify(value, undefined, 2) : text()}\n`);
  },
  piece: (value, text) => {
    process.stdout.write(json ? `${JSON.stringify(value)}\n` : text);
  },
  say: (words) => {
    process.stderr.write(`${words}\n`);
  },
});

/** Length as a terminal shows it, without colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const shown = (text: string): number => text.replace(/\x1b\[\d+m/g, '').length;

/** Columns as wide as their widest cell, two spaces apart; `none` if there are no rows. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
  none: string,
): string {
  if (rows.length === 0) return none;
  const cells = [head, ...rows].map((row) => row.map((cell) => String(cell ?? '-')));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => shown(row[column] ?? ''))));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - shown(cell))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `512 B`, `1.4 kB`, `12.0 MB`, `3.2 GB`: steps of a thousand, as docker shows them. */
export function bytesText(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'];
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes / 1000;
  let unit = 0;
  for (; value >= 999.95 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** `5s`, `3m`, `2h`, `4d` since then. */
export function ago(time: string | undefined, now: number = Date.now()): string {
  if (time === undefined) return '-';
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** Control characters of what containers and people wrote must not reach the terminal as commands. */
export const harmless = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '\u{fffd}');
