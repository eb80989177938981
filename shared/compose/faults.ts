import { Invalid, type Issue } from '../model/invalid.ts';
import { type Path, type Place, pathText } from './tree.ts';

/** Everything that is wrong with a project is told at once, so faults are gathered until a stage ends. */
export class Faults {
  readonly #found = new Map<string, Issue>();
  readonly #remedies = new Set<string>();

  /**
   * @param message what was expected and what was found
   * @param remedy for faults of a kind of which there may be many: told once
   */
  add(place: Place, path: Path, message: string, remedy?: string): void {
    const { file, line, column } = place;
    const issue: Issue = { file, line, column, path: pathText(path), message };
    this.#found.set(issueText(issue), issue);
    if (remedy !== undefined) this.#remedies.add(remedy);
  }

  get isEmpty(): boolean {
    return this.#found.size === 0;
  }

  /** @throws Invalid `compose-invalid` if there is a fault */
  check(): void {
    if (this.isEmpty) return;
    const remedy = this.#remedies.size === 0 ? undefined : [...this.#remedies].join(' ');
    throw composeInvalid([...this.#found.values()], remedy);
  }
}

export const byPlace = (a: Issue, b: Issue): number =>
  (a.file ?? '') < (b.file ?? '')
    ? -1
    : (a.file ?? '') > (b.file ?? '')
      ? 1
      : (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);

export function composeInvalid(
  issues: readonly Issue[],
  remedy = 'Mend these places. docs/compose.md lists what is honoured, key by key.',
): Invalid {
  const sorted = [...issues].sort(byPlace);
  return new Invalid({
    code: 'compose-invalid',
    message: sorted.map(issueText).join('\n'),
    remedy,
    issues: sorted,
  });
}

/** `compose.yaml:12:5: services.web.ports: …`, as editors read it. */
export function issueText({ file, line, column, path, message }: Issue): string {
  const place = file === undefined ? '' : `${file}:${line ?? 1}:${column ?? 1}: `;
  return `${place}${path === '' ? '' : `${path}: `}${message}`;
}
