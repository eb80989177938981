import { Ajv, type ErrorObject } from 'ajv';
import { nearest } from '../model/nearest.ts';
import specification from './compose-spec.json' with { type: 'json' };
import type { Faults } from './faults.ts';
import { withoutResets } from './merge.ts';
import { makeList, makeMap, nodeAt, type Path, placeOf, plain, type TreeNode } from './tree.ts';

type Validate = ((value: unknown) => boolean) & { errors?: ErrorObject[] | null };

let compiled: Validate | undefined;

/** The schema names a dialect by an address that Ajv knows by another; formats are checked where they are read. */
function validator(): Validate {
  if (compiled !== undefined) return compiled;
  const { $schema: _, ...schema } = specification;
  const ajv = new Ajv({
    ...{ allErrors: true, verbose: true, strict: false, validateFormats: false },
    // It is ours, and runs a few times: neither is it checked, nor is its code made faster.
    ...{ meta: false, validateSchema: false, code: { optimize: false } },
  });
  compiled = ajv.compile(schema) as Validate;
  return compiled;
}

/**
 * Checks a file against the published schema of the Compose Specification. Texts that came of variables become the number or
 * boolean that is asked for where they are one.
 */
export function checkSchema(tree: TreeNode, faults: Faults): TreeNode {
  const validate = validator();
  let checked = tree;
  if (validate(plain(withoutResets(checked)))) return checked;
  checked = casted(checked, validate.errors ?? []);
  if (validate(plain(withoutResets(checked)))) return checked;
  for (const { path, message } of explain(validate.errors ?? [])) {
    const node = nodeAt(checked, ...path) ?? checked;
    faults.add(placeOf(node), path, message);
  }
  return checked;
}

const stepsOf = (pointer: string): Path =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));

function casted(tree: TreeNode, errors: readonly ErrorObject[]): TreeNode {
  let result = tree;
  for (const { keyword, instancePath, schema } of errors) {
    if (keyword !== 'type') continue;
    const path = stepsOf(instancePath);
    const node = nodeAt(result, ...path);
    if (node?.kind !== 'scalar' || node.interpolated !== true || typeof node.value !== 'string') continue;
    const value = cast(node.value, [schema].flat());
    if (value !== undefined) result = replaced(result, path, { ...node, value });
  }
  return result;
}

function cast(text: string, types: readonly unknown[]): number | boolean | undefined {
  if (types.includes('boolean') && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  if (types.includes('integer') && /^-?\d+$/.test(text)) return Number(text);
  if (types.includes('number') && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  return undefined;
}

function replaced(node: TreeNode, [step, ...rest]: Path, value: TreeNode): TreeNode {
  if (step === undefined) return value;
  if (node.kind === 'map')
    return makeMap(
      node,
      [...node.entries].map(([name, entry]) => [
        name,
        name === String(step) ? replaced(entry, rest, value) : entry,
      ]),
    );
  if (node.kind === 'list')
    return makeList(
      node,
      node.items.map((item, index) => (index === Number(step) ? replaced(item, rest, value) : item)),
    );
  return node;
}

interface Explained {
  readonly path: Path;
  readonly message: string;
}

/**
 * Where a value may have several forms, Ajv tells what each of them lacks. What is said here: of a form whose kind of value it
 * is, what is wrong in it; if it is of no form's kind, which kinds are expected.
 */
function explain(errors: readonly ErrorObject[]): readonly Explained[] {
  const chosen: Explained[] = [];
  for (const pointer of new Set(errors.map(({ instancePath }) => instancePath))) {
    const found = errors.filter(({ instancePath }) => instancePath === pointer);
    const path = stepsOf(pointer);
    const isBelow = errors.some(({ instancePath }) => instancePath.startsWith(`${pointer}/`));
    const inside = found.filter(({ keyword }) => !['type', 'oneOf', 'anyOf'].includes(keyword));
    const types = found.filter(({ keyword }) => keyword === 'type');
    for (const error of inside) chosen.push(explained(error, path));
    if (inside.length > 0 || isBelow) continue;
    if (types.length > 0) {
      const expected = [...new Set(types.flatMap(({ schema }) => [schema].flat() as string[]))].map(
        nameOfType,
      );
      chosen.push({ path, message: `expected ${expected.join(' or ')}, found ${found_(types[0]?.data)}.` });
    } else {
      const [first] = found;
      if (first !== undefined) chosen.push({ path, message: `does not have one of the expected forms.` });
    }
  }
  return chosen;
}

function explained(
  { keyword, params, message, parentSchema, schema, data }: ErrorObject,
  path: Path,
): Explained {
  if (keyword === 'additionalProperties') {
    const key = String((params as { additionalProperty?: unknown }).additionalProperty);
    const known = Object.keys((parentSchema as { properties?: object } | undefined)?.properties ?? {});
    const guess = nearest(key, known, 1).map((name) => ` Did you mean "${name}"?`);
    const names = known.length === 0 || known.length > 20 ? '' : ` Expected one of ${known.join(', ')}.`;
    return {
      path: [...path, key],
      message: `the Compose Specification has no such key.${guess.join('')}${names}`,
    };
  }
  if (keyword === 'required')
    return {
      path,
      message: `missing: ${String((params as { missingProperty?: unknown }).missingProperty)}.`,
    };
  if (keyword === 'enum')
    return { path, message: `expected one of ${(schema as unknown[]).join(', ')}, found ${found_(data)}.` };
  return { path, message: `${message ?? keyword}, found ${found_(data)}.` };
}

const nameOfType = (type: string): string =>
  ({
    object: 'a mapping',
    array: 'a list',
    string: 'a text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    null: 'nothing',
  })[type] ?? type;

function found_(data: unknown): string {
  const text = JSON.stringify(data) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
