import type { FieldChange } from '../model/plan.ts';

const HIDDEN = '(hidden)';
/** Names of variables and options whose values are not for every eye. */
const SECRET =
  /pass(word|wd|phrase)?|secret|token|credential|private|api_?key|access_?key|(^|[._-])(key|auth|pwd|dsn)($|[._-])|connection_?string/i;
/** `https://user:password@host`, `--password=…`, and the beginnings of well-known keys. */
const SECRET_VALUE =
  /:\/\/[^/\s:@]*:[^/\s@]+@|(pass(word|wd)?|secret|token|key)[=:]\s*\S|AccountKey=|-----BEGIN|^(gh[pousr]_|sk-|xox[abp]-|AKIA)/i;

/** Keys that differ between two specifications, deepest first named by their path; order counts in lists. Pure. */
export function specDiff(before: unknown, after: unknown): FieldChange[] {
  const [old, current] = [leaves(before), leaves(after)];
  const paths = [...new Set([...old.keys(), ...current.keys()])].sort();
  return paths.flatMap((path): FieldChange[] => {
    const [a, b] = [old.get(path), current.get(path)];
    if (a === b) return [];
    return [
      {
        path,
        change: a === undefined ? 'added' : b === undefined ? 'removed' : 'changed',
        ...(a !== undefined && { before: shown(path, a) }),
        ...(b !== undefined && { after: shown(path, b) }),
      },
    ];
  });
}

/** JSON texts of what is neither object nor empty, by path; lists of plain values are one. */
function leaves(value: unknown, path = '', found = new Map<string, string>()): Map<string, string> {
  if (value === undefined || value === null) return found;
  if (Array.isArray(value) && value.some((one) => typeof one === 'object' && one !== null))
    value.forEach((one, index) => {
      leaves(one, `${path}[${index}]`, found);
    });
  else if (typeof value === 'object' && !Array.isArray(value))
    for (const [key, inner] of Object.entries(value))
      leaves(inner, path === '' ? key : `${path}.${key}`, found);
  else if (!(Array.isArray(value) && value.length === 0))
    found.set(path, typeof value === 'string' ? value : JSON.stringify(value));
  return found;
}

/** Hidden where the name, or the value itself, says that it may be a secret. */
const shown = (path: string, value: string): string => {
  const name = path.startsWith('environment.') || path.includes('.environment.') ? path : '';
  const isText = /(^|\.)(environment|command|entrypoint|before|labels|health)(\.|$|\[)/.test(path);
  return (name !== '' && SECRET.test(name.slice(name.indexOf('environment.') + 12))) ||
    (isText && SECRET_VALUE.test(value))
    ? HIDDEN
    : value;
};
