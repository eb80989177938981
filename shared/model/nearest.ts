/**
 * Those of `known` that somebody who wrote `text` may have meant, the nearest first: at most a third of its characters
 * differ, and two may always.
 */
export function nearest(text: string, known: Iterable<string>, most = 3): readonly string[] {
  const limit = Math.max(2, text.length / 3);
  const found: { name: string; distance: number }[] = [];
  for (const name of known) {
    // Lengths that differ by more need no count.
    if (Math.abs(name.length - text.length) > limit) continue;
    const apart = distance(text.toLowerCase(), name.toLowerCase());
    if (apart <= limit) found.push({ name, distance: apart });
  }
  return found
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name }) => name);
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
