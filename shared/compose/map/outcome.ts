import type { Issue } from '../../model/invalid.ts';
import { type Path, type Place, pathText, placeOf, type TreeNode } from '../tree.ts';

interface Origin {
  readonly place: Place;
  readonly path: Path;
}

/** What a key became, beside the fields that it gave: a word about it, or a refusal. */
export class Outcome {
  readonly refusals: Issue[] = [];
  readonly notes: Issue[] = [];
  readonly #ignored: ReadonlySet<string>;
  readonly #used = new Set<string>();
  readonly #origins = new Map<string, Origin>();

  /** @param ignored keys that are left out on purpose: `stdin_open`, `deploy.endpoint_mode`, or whole paths */
  constructor(ignored: readonly string[]) {
    this.#ignored = new Set(ignored);
  }

  /** Berth does nothing of the kind, and nothing is missed by it. */
  note(node: TreeNode, path: Path, message: string): void {
    this.notes.push(issueOf(placeOf(node), path, message));
  }

  /** Berth cannot do it: nothing is deployed, unless it is ignored on purpose. */
  refuse(node: TreeNode, path: Path, reason: string): void {
    this.refuseAt(placeOf(node), path, reason);
  }

  /** @returns whether it is left out on purpose */
  refuseAt(place: Place, path: Path, reason: string): boolean {
    const ignored = namesOf(path).find((name) => this.#ignored.has(name));
    if (ignored === undefined) {
      this.refusals.push(issueOf(place, path, reason));
      return false;
    }
    this.#used.add(ignored);
    this.notes.push(issueOf(place, path, `left out, as --ignore ${ignored} says: ${reason}`));
    return true;
  }

  /** Where a field of the application comes from, and what it is called there. */
  comesFrom(target: Path, node: TreeNode, source: Path = target): void {
    this.#origins.set(pathText(target), { place: placeOf(node), path: source });
  }

  /** The same, where nothing nearer was said. */
  comesAtAllFrom(target: Path, node: TreeNode, source: Path): void {
    if (!this.#origins.has(pathText(target))) this.comesFrom(target, node, source);
  }

  /** Where a field comes from, or the nearest that it lies in. */
  originOf(target: Path): Origin | undefined {
    for (let length = target.length; length > 0; length -= 1) {
      const found = this.#origins.get(pathText(target.slice(0, length)));
      if (found !== undefined) return { ...found, path: [...found.path, ...target.slice(length)] };
    }
    return undefined;
  }

  /** What was to be ignored, and nothing was refused for. */
  get unused(): readonly string[] {
    return [...this.#ignored].filter((name) => !this.#used.has(name));
  }
}

const issueOf = ({ file, line, column }: Place, path: Path, message: string): Issue => ({
  path: pathText(path),
  message,
  file,
  line,
  column,
});

/**
 * Names by which a key can be ignored: its path, that within its service, those of what it lies in; with the numbers of items or
 * without.
 */
export function namesOf(path: Path): readonly string[] {
  const isOfService = path[0] === 'services';
  const prefixes = (steps: Path, from: number) =>
    steps.map((_, index) => pathText(steps.slice(0, index + 1))).slice(from);
  const without = path.filter((step) => typeof step === 'string');
  return [path, without].flatMap((steps) => [
    ...prefixes(isOfService ? steps.slice(2) : steps, 0),
    ...prefixes(steps, isOfService ? 2 : 0),
  ]);
}
