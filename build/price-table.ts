import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';

const USAGE = `node build/price-table.ts <file>
  file: JSON with generatedAt and regions.<region>.<size>: US dollars per hour, Linux, on demand`;

const TABLE = 'shared/machines/offerings/price-table.json';

const Input = z.object({
  generatedAt: z.string(),
  currency: z.literal('USD'),
  unit: z.literal('1 Hour'),
  regions: z.record(z.string(), z.record(z.string().startsWith('Standard_'), z.number().nonnegative())),
});

/** Makes the table of prices that Berth ships, without sizes that Azure lists at 0, which have no price yet: all sizes in one line, and for each region their prices in the same order. */
const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error(USAGE);
  process.exit(2);
}
const { generatedAt, regions } = Input.parse(JSON.parse(await readFile(file, 'utf8')));
const sizes = [...new Set(Object.values(regions).flatMap((prices) => Object.keys(prices)))].sort();
const table = {
  source:
    'Azure Retail Prices API, as kept by https://github.com/Azure/karpenter-provider-azure (Apache-2.0)',
  generatedAt,
  unit: 'USD per hour, Linux, on demand; - where the region has no price',
  sizes: sizes.map((size) => size.replace('Standard_', '')).join(' '),
  regions: Object.fromEntries(
    Object.entries(regions).map(([region, prices]) => [
      region,
      sizes.map((size) => prices[size] || '-').join(' '),
    ]),
  ),
};
await writeFile(TABLE, `${JSON.stringify(table, null, 2)}\n`);
console.log(`${TABLE}: ${sizes.length} sizes in ${Object.keys(regions).length} regions`);
