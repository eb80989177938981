import type { Priority } from '../../model/pool.ts';
import table from './price-table.json' with { type: 'json' };

/** When the table's prices were read from Azure. RFC 3339. */
export const pricesAt = table.generatedAt;

let prices: ReadonlyMap<string, ReadonlyMap<string, number>> | undefined;

/**
 * US dollars per hour of a size in a region, Linux, without disk and address; undefined where the table does not know
 * it. A spot machine never costs more than a regular one (`maxPrice: -1`): its price is the regular one, as a bound.
 * @param size letter case does not count
 */
export function priceOf(location: string, size: string, _priority: Priority = 'regular'): number | undefined {
  prices ??= read();
  return prices.get(location.replaceAll(' ', '').toLowerCase())?.get(size.toLowerCase());
}

function read(): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const sizes = table.sizes.split(' ').map((size) => `standard_${size.toLowerCase()}`);
  return new Map(
    Object.entries(table.regions).map(([region, line]) => {
      const figures = line.split(' ').map(Number);
      const known = sizes.flatMap((size, index): [string, number][] => {
        const figure = figures[index];
        return figure === undefined || Number.isNaN(figure) ? [] : [[size, figure]];
      });
      return [region, new Map(known)];
    }),
  );
}
