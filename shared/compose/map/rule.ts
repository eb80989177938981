import type { ComposeProject } from '../project.ts';
import { type Path, type TreeNode, textOf } from '../tree.ts';
import { bytesOf, secondsOf } from '../units.ts';
import type { Outcome } from './outcome.ts';

export interface Here {
  readonly path: Path;
  readonly outcome: Outcome;
  readonly project: ComposeProject;
  /** Name of the service in the compose file, and in the application. */
  readonly service: string;
  readonly target: string;
}

/** Fields of a service of berth.yaml. */
export type Fields = Readonly<Record<string, unknown>>;

/** What a key of compose gives; nothing if it was noted or refused. */
export type Rule = (node: TreeNode, here: Here) => Fields | undefined;

/** Where a part of a field comes from, so that a fault in it is told there. */
export const comesFrom = (here: Here, node: TreeNode, field: Path, steps: Path = field.slice(1)): void =>
  here.outcome.comesFrom(['services', here.target, ...field], node, [...here.path, ...steps]);

export const below = (here: Here, ...steps: Path): Here => ({ ...here, path: [...here.path, ...steps] });

/** Left out without loss. */
export const noted =
  (message: string): Rule =>
  (node, { path, outcome }) => {
    outcome.note(node, path, message);
    return undefined;
  };

export const refused =
  (reason: string): Rule =>
  (node, { path, outcome }) => {
    if (!saysNothing(node)) outcome.refuse(node, path, reason);
    return undefined;
  };

/** An empty list, an empty mapping, nothing. */
export const saysNothing = (node: TreeNode): boolean =>
  node.kind === 'map'
    ? node.entries.size === 0
    : node.kind === 'list'
      ? node.items.length === 0
      : node.value === null;

/** `true`, also as a text of a variable. */
export const isTrue = (node: TreeNode | undefined): boolean => /^(true|yes|1)$/i.test(textOf(node) ?? '');

export const flag =
  (field: string): Rule =>
  (node) => ({ [field]: isTrue(node) });

export const text =
  (field: string): Rule =>
  (node) => {
    const value = textOf(node);
    return value === undefined ? undefined : { [field]: value };
  };

/** @returns undefined, and refuses, if it is no duration */
export function seconds(node: TreeNode, { path, outcome }: Here): number | undefined {
  const found = secondsOf(textOf(node) ?? '');
  if (found === undefined)
    outcome.refuse(node, path, `expected a duration such as 1m30s, found "${textOf(node) ?? ''}".`);
  return found;
}

/** MiB, rounded up. @returns undefined, and refuses, if it is no size */
export function mebibytes(node: TreeNode, { path, outcome }: Here): number | undefined {
  const bytes = bytesOf(textOf(node) ?? '');
  if (bytes === undefined)
    outcome.refuse(node, path, `expected a size such as 512M, found "${textOf(node) ?? ''}".`);
  return bytes === undefined ? undefined : Math.ceil(bytes / 1024 ** 2);
}

/** @returns undefined, and refuses, if it is no number */
export function numberIn(node: TreeNode, { path, outcome }: Here): number | undefined {
  const written = textOf(node) ?? '';
  const value = Number(written);
  if (written.trim() !== '' && Number.isFinite(value)) return value;
  outcome.refuse(node, path, `expected a number, found "${written}".`);
  return undefined;
}

/** With what both say; mappings of both are put together. */
export function together(a: Fields, b: Fields): Fields {
  const result: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const before = result[name];
    result[name] = isRecord(before) && isRecord(value) ? { ...before, ...value } : value;
  }
  return result;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
