import type { Issue } from '../../model/invalid.ts';
import { type Path, type Place, pathText, placeOf, type TreeNode } from '../tree.ts';

/** What a key became, beside the fields that it gave: a word about it, or a refusal. */
export class Outcome {
  readonly refusals: Issue[] = [];
  readonly notes: Issue[] = [];
  readonly #ignored: ReadonlySet<string>;
  readonly #used = new Set<string>();
  readonly #origins = new Map<string, Place>();

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

  /** Where a field of the application comes from. */
  comesFrom(target: Path, node: TreeNode): void {
    this.#origins.set(pathText(target), placeOf(node));
  }

  /** The place of a field, or of the nearest that it lies in. */
  originOf(target: Path): Place | undefined {
    for (let length = target.length; length > 0; length -= 1) {
      const found = this.#origins.get(pathText(target.slice(0, length)));
      if (found !== undefined) return found;
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

/** Names by which a key can be ignored: its path, that within its service, and those of what it lies in. */
export function namesOf(path: Path): readonly string[] {
  const named = path.filter((step) => typeof step === 'string');
  const inside = named[0] === 'services' ? named.slice(2) : named;
  const prefixes = (steps: readonly (string | number)[]) =>
    steps.map((_, index) => pathText(steps.slice(0, index + 1)));
  return [...prefixes(inside), ...prefixes(path).slice(named[0] === 'services' ? 2 : 0)];
}
