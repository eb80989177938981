import { interpolate, TemplateFault, type Variables } from './template.ts';

export interface EnvironmentFault {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface EnvironmentFile {
  readonly values: ReadonlyMap<string, string>;
  readonly faults: readonly EnvironmentFault[];
}

/** `NAME=`, `NAME: `, `export NAME=`, or a name alone, whose value is inherited. */
const HEAD = /^[ \t]*(?:export[ \t]+)?(?<name>[A-Za-z0-9_.[\]-]+)[ \t]*(?<sign>[=:]|(?=\r?\n|$|#))/;

/**
 * A file of variables, as docker compose reads `.env` and `env_file`: comments, `export`, single quotes (literal), double
 * quotes (escapes and variables), values of several lines in quotes. Variables may be those of lines before or `inherited`,
 * which has precedence, as in a shell.
 */
export function parseEnvironmentFile(text: string, inherited: Variables): EnvironmentFile {
  const source = text.replace(/^\u{feff}/u, '');
  const values = new Map<string, string>();
  const faults: EnvironmentFault[] = [];
  let at = 0;
  const fault = (offset: number, message: string): void => {
    const before = source.slice(0, offset).split('\n');
    faults.push({ line: before.length, column: (before.at(-1) ?? '').length + 1, message });
  };
  const variables: Variables = (name) => inherited(name) ?? values.get(name);
  const put = (name: string, begin: number, raw: string, hasVariables: boolean): void => {
    try {
      values.set(name, hasVariables ? interpolate(raw, variables) : raw);
    } catch (error) {
      if (!(error instanceof TemplateFault)) throw error;
      fault(begin, `${name}: ${error.message} Single quotes keep a value as it is.`);
    }
  };
  while (at < source.length) {
    const lineEnd = endOfLine(source, at);
    const line = source.slice(at, lineEnd);
    if (/^[ \t\r]*(#|$)/.test(line)) {
      at = lineEnd + 1;
      continue;
    }
    const { name, sign } = HEAD.exec(line)?.groups ?? {};
    if (name === undefined) {
      fault(at, `expected NAME=value, found "${line.trim().slice(0, 40)}"`);
      at = lineEnd + 1;
      continue;
    }
    if (sign === '' || sign === undefined) {
      const value = inherited(name);
      if (value !== undefined) values.set(name, value);
      at = lineEnd + 1;
      continue;
    }
    const head = HEAD.exec(line)?.[0].length ?? 0;
    const begin = at + head + (/^[ \t]*/.exec(line.slice(head))?.[0].length ?? 0);
    const quote = source[begin];
    if (quote === "'" || quote === '"') {
      const end = closingQuote(source, begin);
      if (end === undefined) {
        fault(begin, `${name}: this quote is not closed`);
        break;
      }
      const inner = source.slice(begin + 1, end);
      put(name, begin, quote === "'" ? inner.replaceAll("\\'", "'") : unescaped(inner), quote === '"');
      at = endOfLine(source, end) + 1;
      const rest = source.slice(end + 1, at).trim();
      if (rest !== '' && !rest.startsWith('#'))
        fault(end + 1, `${name}: unexpected "${rest.slice(0, 20)}" after the quote`);
    } else {
      // A comment begins with a number sign after a space; one that begins the value is part of it: PASSWORD=#1.
      const raw = source.slice(begin, lineEnd).replace(/ #.*$/s, '').trim();
      put(name, begin, raw, true);
      at = lineEnd + 1;
    }
  }
  return { values, faults };
}

/** `format: raw`: what stands behind the equals sign, whatever it is. */
export function parseRawEnvironmentFile(text: string): EnvironmentFile {
  const values = new Map<string, string>();
  const faults: EnvironmentFault[] = [];
  for (const [index, line] of text
    .replace(/^\u{feff}/u, '')
    .split(/\r?\n/)
    .entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const equals = line.indexOf('=');
    if (equals > 0) values.set(line.slice(0, equals).trim(), line.slice(equals + 1));
    else
      faults.push({
        line: index + 1,
        column: 1,
        message: `expected NAME=value, found "${line.slice(0, 40)}"`,
      });
  }
  return { values, faults };
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function closingQuote(text: string, begin: number): number | undefined {
  for (let at = begin + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === text[begin]) return at;
  }
  return undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  '\\': '\\',
  $: '$$',
};

/** Three octal digits after `\0` are a character: `\0101`. docker compose drops the zero of anything else. */
const octal = (digits: string): string =>
  /^[0-3][0-7]{2}$/.test(digits) ? String.fromCharCode(Number.parseInt(digits, 8)) : `\\${digits}`;

/** A dollar sign that is escaped becomes `$$`, which interpolation makes one. */
const unescaped = (text: string): string =>
  text.replace(/\\(?:0(\d{0,3})|(.))/gs, (whole, digits: string | undefined, letter = '') =>
    digits === undefined ? (ESCAPES[letter] ?? whole) : octal(digits),
  );
