import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  parseDocument,
  type YAMLMap,
  type Scalar as YamlScalar,
} from 'yaml';
import type { Faults } from './faults.ts';
import type { Place, Scalar, Tag, TreeNode } from './tree.ts';

/** Anchors may make a small file a large document. */
const MOST_NODES = 50_000;
const DEEPEST = 100;

interface Reading {
  readonly file: string;
  readonly lines: LineCounter;
  readonly faults: Faults;
  /** What was anchored so far, in the order of the document. */
  readonly anchors: Map<string, Node>;
  /** How many aliases are being followed. */
  following: number;
  nodes: number;
}

class TooMuch extends Error {}

/**
 * The documents of a YAML file, with anchors and merge keys resolved. Numbers are read as docker compose reads them: 0440 is
 * octal. Faults of YAML go to `faults`; documents that have some are left out.
 */
export function readTrees(text: string, file: string, faults: Faults): readonly TreeNode[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text.replace(/^\u{feff}/u, ''), {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    // Keys that come of `<<` are no repetition.
    merge: false,
  });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const reading: Reading = { file, lines, faults, anchors: new Map(), following: 0, nodes: 0 };
    const wrong = [
      ...document.errors,
      ...document.warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED'),
    ];
    for (const error of wrong) faults.add(placeAt(reading, error.pos[0]), [], `not YAML: ${error.message}`);
    if (wrong.length > 0 || document.contents === null) return [];
    try {
      return [nodeOf(reading, document.contents as Node, 0)];
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error;
      const limit = 'expected at most 50,000 values, 100 deep.';
      faults.add(placeAt(reading, 0), [], `too much is written here by anchors and nesting: ${limit}`);
      return [];
    }
  });
}

const placeAt = ({ file, lines }: Reading, offset: number | undefined): Place => {
  const { line, col } = lines.linePos(offset ?? 0);
  return { file, line: Math.max(1, line), column: Math.max(1, col) };
};

function nodeOf(reading: Reading, node: Node | null, depth: number, key?: Place): TreeNode {
  reading.nodes += 1;
  if (reading.nodes > MOST_NODES || depth > DEEPEST) throw new TooMuch();
  const at = node === null ? (key ?? placeAt(reading, 0)) : placeAt(reading, node.range?.[0]);
  const standing = { at, ...(key === undefined ? {} : { key }) };
  const nothing: TreeNode = { kind: 'scalar', value: null, ...standing };
  if (node === null) return nothing;
  if (isAlias(node)) {
    const target = reading.anchors.get(node.source);
    if (target === undefined) {
      reading.faults.add(at, [], `there is no anchor &${node.source} before this alias.`);
      return nothing;
    }
    reading.following += 1;
    const resolved = nodeOf(reading, target, depth + 1, key);
    reading.following -= 1;
    return { ...resolved, at };
  }
  const { anchor } = node as { anchor?: string };
  if (anchor !== undefined && reading.following === 0) reading.anchors.set(anchor, node);
  const tag = tagOf(reading, node, at);
  const tagged = tag === undefined ? standing : { ...standing, tag };
  if (isMap(node))
    return {
      kind: 'map',
      entries: entriesIn(reading, node as YAMLMap<Node, Node | null>, depth),
      ...tagged,
    };
  if (isSeq(node))
    return {
      kind: 'list',
      items: node.items.map((item) => nodeOf(reading, item as Node | null, depth + 1)),
      ...tagged,
    };
  if (isScalar(node)) return { kind: 'scalar', value: scalarValue(node, tag), ...tagged };
  return nothing;
}

function tagOf({ faults }: Reading, node: Node, at: Place): Tag | undefined {
  const { tag } = node as { tag?: string };
  if (tag === '!reset') return 'reset';
  if (tag === '!override') return 'override';
  if (tag?.startsWith('!') === true && !tag.startsWith('!!'))
    faults.add(at, [], `unknown tag ${tag}: expected !reset or !override.`);
  return undefined;
}

/** Own keys come before those of `<<`, and of several maps under `<<` the first has precedence. https://yaml.org/type/merge.html */
function entriesIn(reading: Reading, map: YAMLMap<Node, Node | null>, depth: number): Map<string, TreeNode> {
  const own = new Map<string, TreeNode>();
  const merged = new Map<string, TreeNode>();
  for (const pair of map.items as Pair<Node, Node | null>[]) {
    const name = isScalar(pair.key) ? keyText(pair.key) : String(pair.key);
    const place = placeAt(reading, pair.key.range?.[0]);
    const value = nodeOf(reading, pair.value, depth + 1, place);
    if (name !== '<<') own.set(name, value);
    else
      for (const source of value.kind === 'list' ? value.items : [value])
        if (source.kind === 'map') {
          for (const [key, entry] of source.entries) if (!merged.has(key)) merged.set(key, entry);
        } else reading.faults.add(place, ['<<'], 'expected a mapping, or a list of mappings, to merge.');
  }
  return new Map([...merged, ...own]);
}

const keyText = (key: YamlScalar): string =>
  typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));

function scalarValue(node: YamlScalar, tag: Tag | undefined): Scalar {
  const { value, source, type } = node;
  // What bears a tag that YAML does not know is read as a text.
  if (tag !== undefined && type === 'PLAIN' && typeof value === 'string') {
    const inner = parseDocument(value).contents;
    return isScalar(inner) ? scalarValue(inner as YamlScalar, undefined) : value;
  }
  if (typeof value === 'number' && source !== undefined && /^[-+]?0[0-7]+$/.test(source))
    return Number.parseInt(source, 8);
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}
