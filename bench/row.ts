/** One line of the result. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly reference: number;
  /** ours / reference, for times and for rates. */
  readonly ratio: number;
  readonly better: 'lower' | 'higher';
}

export function rowOf(
  name: string,
  unit: string,
  better: Row['better'],
  ours: readonly number[],
  reference: readonly number[],
): Row {
  const [mine, theirs] = [median(ours), median(reference)];
  return {
    name,
    unit,
    ours: rounded(mine),
    reference: rounded(theirs),
    ratio: rounded(mine / theirs),
    better,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  if (low === undefined || high === undefined) throw new RangeError('there is no median of nothing');
  return (low + high) / 2;
}

/** To three significant digits, and never coarser than one. */
const rounded = (value: number): number => (value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));

/** A table of text: the first column to the left, numbers to the right. */
export function tableOf(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const all = [head, ...lines];
  const widths = head.map((_title, column) => Math.max(...all.map((line) => (line[column] ?? '').length)));
  return all
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export const rowTable = (rows: readonly Row[]): string =>
  tableOf(
    ['', 'unit', 'ours', 'reference', 'ratio', 'better'],
    rows.map(({ name, unit, ours, reference, ratio, better }) => [
      name,
      unit,
      String(ours),
      String(reference),
      ratio.toFixed(2),
      better,
    ]),
  );
