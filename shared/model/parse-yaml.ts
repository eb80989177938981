import { isMap, isNode, LineCounter, type Node, type ParsedNode, parseDocument, type YAMLMap } from 'yaml';
import type { z } from 'zod';
import { Invalid, type Issue } from './invalid.ts';
import { plainMessage } from './plain-issues.ts';
import { withoutSafeRange } from './safe-range.ts';
import { keysAt } from './schema-keys.ts';

type Path = readonly PropertyKey[];
type YamlDocument = ReturnType<typeof parseDocument<ParsedNode>>;

/** What a document is, for the words of its faults. */
interface DocumentKind {
  /** Code of a fault that is not one of YAML: `application-invalid`. */
  readonly code: string;
  readonly remedy: string;
}

/**
 * A document from YAML 1.2, so from JSON too.
 * @throws Invalid `yaml-invalid` or the kind's code: every fault with line, column and what was expected
 */
export function parseYaml<T>(text: string, schema: z.ZodType<T>, { code, remedy }: DocumentKind): T {
  if (BYTES.test(text))
    throw invalid('yaml-invalid', remedy, [
      { path: '', message: 'expected text, found bytes that are none', line: 1, column: 1 },
    ]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0)
    throw invalid(
      'yaml-invalid',
      remedy,
      syntax
        .slice(0, MOST_OF_SYNTAX)
        .map((error) => ({ path: '', message: error.message, ...placeAt(lines, error.pos[0]) })),
    );
  const parsed = schema.safeParse(contentOf(document, remedy));
  if (parsed.success) return parsed.data;
  const issues = withoutSafeRange(parsed.error.issues).flatMap((issue) =>
    issuesOf(issue, schema, document, lines),
  );
  throw invalid(
    code,
    remedy,
    issues.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)),
  );
}

/** What no text has: a program, an archive, or UTF-16 that was read as UTF-8. */
const BYTES = /[\0\ufffd]/;
/** The first mistake often makes all that follows one. */
const MOST_OF_SYNTAX = 10;

/**
 * Where a field begins in a document that was parsed, or the nearest that it would lie in.
 * @param path `services.web.secrets.0`, or its keys where they may have dots in them
 */
export function placeIn(
  text: string,
  path: string | readonly string[],
): { readonly line: number; readonly column: number } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const keys = typeof path === 'string' ? path.split('.') : path;
  return placeAt(lines, offsetOf(document, keys) ?? 0);
}

function invalid(code: string, remedy: string, issues: readonly Issue[]): Invalid {
  const lines = issues.map(({ line, column, path, message }) => {
    const place = line === undefined ? '' : `line ${line}, column ${column}: `;
    return `${place}${path === '' ? '' : `${path}: `}${message}`;
  });
  return new Invalid({ code, message: lines.join('\n'), remedy, issues });
}

/** An alias that stands for far more than was written is refused by the parser; it then throws. */
function contentOf(document: YamlDocument, remedy: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw invalid('yaml-invalid', remedy, [
      { path: '', message: error instanceof Error ? error.message : String(error), line: 1, column: 1 },
    ]);
  }
}

function issuesOf(
  issue: z.core.$ZodIssue,
  schema: z.core.$ZodType,
  document: YamlDocument,
  lines: LineCounter,
): Issue[] {
  const place = (offset: number | undefined) => placeAt(lines, offset ?? 0);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => ({
      path: textOf(issue.path),
      message: unknownKey(key, known),
      ...place(keyOffset(document, issue.path, key)),
    }));
  }
  if (issue.code === 'invalid_key') {
    const [name, ...parents] = [...issue.path].reverse();
    const reason = issue.issues[0]?.message ?? issue.message;
    return [
      {
        path: textOf(parents.reverse()),
        message: `the name "${String(name)}" cannot be used: ${reason}`,
        ...place(keyOffset(document, issue.path.slice(0, -1), String(name))),
      },
    ];
  }
  const node = document.getIn(issue.path, true);
  if (issue.path.length === 0 && document.contents === null)
    return [
      { path: '', message: `nothing is in it: expected ${keysAt(schema, []).join(', ')}`, ...place(0) },
    ];
  const isThere = isNode(node);
  const found = isThere && !isMap(node) ? `, found ${shorten(valueText(node.toJS(document)))}` : '';
  const message = isThere ? `${plain(issue)}${found}` : `missing: ${plain(issue)}`;
  return [{ path: textOf(issue.path), message, ...place(offsetOf(document, issue.path)) }];
}

const textOf = (path: Path): string => path.map(String).join('.');
/** JSON has no word for numbers without end: it says null. */
const valueText = (value: unknown): string =>
  typeof value === 'number' ? String(value) : JSON.stringify(value);
const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}…` : text);
/** Without what was received: that follows from what was found. */
const plain = (issue: z.core.$ZodIssue): string => plainMessage(issue).replace(/, received \w+$/, '');

/** Where the node at this path begins; where there is none, its nearest parent. */
function offsetOf(document: YamlDocument, path: Path): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (!isNode(node)) continue;
    const key = path[length - 1];
    /** A block mapping begins on the line after its key: the key is what people look for. */
    const at =
      isMap(node) && key !== undefined
        ? keyOffset(document, path.slice(0, length - 1), String(key))
        : undefined;
    return at ?? node.range?.[0];
  }
  return undefined;
}

function keyOffset(document: YamlDocument, path: Path, key: string): number | undefined {
  const map = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isMap(map)) return undefined;
  const pair = (map as YAMLMap<Node, unknown>).items.find((item) => String(item.key) === key);
  return pair?.key.range?.[0];
}

function placeAt(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function unknownKey(key: string, known: readonly string[]): string {
  const [nearest] = known
    .map((name) => ({ name, distance: distance(key.toLowerCase(), name.toLowerCase()) }))
    .filter((candidate) => candidate.distance <= Math.max(2, key.length / 3))
    .sort((a, b) => a.distance - b.distance);
  const guess = nearest === undefined ? '' : ` Did you mean "${nearest.name}"?`;
  return `unknown key "${key}".${guess} Expected one of ${known.join(', ')}.`;
}

/** Levenshtein: https://en.wikipedia.org/wiki/Levenshtein_distance */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
