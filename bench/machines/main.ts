import { parseArgs } from 'node:util';
import { Retryable, Terminal } from '../../shared/model/errors.ts';
import { type Row, rowTable } from '../row.ts';
import { benchGrowth, type Cost } from './growth.ts';
import { benchReady } from './ready.ts';

const USAGE = `npm run bench:machines                     measures everything and prints a table
npm run bench:machines -- ready            from the request to the ready machine, against starting it by hand
npm run bench:machines -- growth           cost in storage, and time, up to 1,000 simulated machines
npm run bench:machines -- --machines 1,10  so many simulated machines, one after the other
npm run bench:machines -- --rounds 10      of golden images; a third as many by cloud-init, a fifth of ten at once
npm run bench:machines -- --json           with the rows as JSON in the last line`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      machines: { type: 'string', default: '1,10,100,1000' },
      rounds: { type: 'string', default: '10' },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  });
  const steps = values.machines.split(',').map(Number);
  const rounds = Number(values.rounds);
  const isWhole = (number: number): boolean => Number.isInteger(number) && number > 0;
  const unknown = positionals.filter((name) => name !== 'ready' && name !== 'growth');
  const wrong = [
    ...(unknown.length > 0 ? [`There is no bench called ${unknown.join(', ')}.`] : []),
    ...(isWhole(rounds) ? [] : [`--rounds ${values.rounds}: expected a whole number.`]),
    ...(steps.every((step, index) => isWhole(step) && step > (steps[index - 1] ?? 0) && step <= 1000)
      ? []
      : [`--machines ${values.machines}: expected growing numbers up to 1000.`]),
  ];
  if (values.help || wrong.length > 0) {
    console.log([...wrong, USAGE].join('\n\n'));
    return values.help ? 0 : 1;
  }
  const isAsked = (name: string): boolean => positionals.length === 0 || positionals.includes(name);
  const rows: Row[] = [];
  let cost: Cost | undefined;
  if (isAsked('ready')) rows.push(...(await benchReady(console.log, rounds)));
  if (isAsked('growth')) {
    const grown = await benchGrowth(console.log, steps);
    cost = grown.cost;
    rows.push(...grown.rows);
  }
  console.log(`\n${rowTable(rows)}`);
  if (values.json) console.log(JSON.stringify({ rows, ...(cost !== undefined && { cost }) }));
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = 1;
  if (error instanceof Terminal || error instanceof Retryable)
    console.error(`\n${error.message}\n→ ${error.remedy}\n(${error.code})`);
  else console.error(error instanceof Error && error.name === 'AbortError' ? 'interrupted' : error);
}
// What a library may have left open must not keep a finished program.
process.exit();
