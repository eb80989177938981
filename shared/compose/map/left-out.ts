import type { Path } from '../tree.ts';

/** A field of an application that is left out on purpose: one of a service's, an item or entry of it, or one at the top. */
export function fieldAt(path: Path): Path {
  const isOfService = path[0] === 'services';
  return path.slice(0, isOfService ? 4 : 2);
}

/** The document without what lies at these paths. */
export function leftOut<T>(document: T, paths: readonly Path[]): T {
  // The last item of a list goes first, so that the others stay where they are named.
  const sorted = [...paths].sort((a, b) => Number(b.at(-1)) - Number(a.at(-1)) || 0);
  return sorted.reduce<T>((left, path) => without(left, path) as T, document);
}

function without(value: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined) return value;
  if (Array.isArray(value))
    return rest.length === 0
      ? value.filter((_, index) => index !== Number(step))
      : value.map((item, index) => (index === Number(step) ? without(item, rest) : item));
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(
    rest.length === 0
      ? entries.filter(([key]) => key !== String(step))
      : entries.map(([key, item]) => [key, key === String(step) ? without(item, rest) : item]),
  );
}
