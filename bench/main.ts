import { parseArgs } from 'node:util';
import { Retryable, Terminal } from '../shared/model/errors.ts';
import { benchDurable } from './durable.ts';
import { benchEvents } from './events.ts';
import { benchIngress } from './ingress/main.ts';
import type { Report } from './report.ts';
import { type Row, rowTable } from './row.ts';
import { benchSwarm } from './swarm/main.ts';

const benches: Readonly<Record<string, (report: Report) => Promise<readonly Row[]>>> = {
  durable: benchDurable,
  events: benchEvents,
  ingress: benchIngress,
  swarm: benchSwarm,
};

const USAGE = `npm run bench                measures everything and prints a table
npm run bench -- <name> …    measures some of it: ${Object.keys(benches).join(', ')}
npm run bench -- --json      with the rows as JSON in the last line`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  });
  const unknown = positionals.filter((name) => !Object.hasOwn(benches, name));
  if (values.help || unknown.length > 0) {
    console.log(unknown.length > 0 ? `There is no bench called ${unknown.join(', ')}.\n\n${USAGE}` : USAGE);
    return unknown.length > 0 ? 1 : 0;
  }
  const rows: Row[] = [];
  for (const [name, bench] of Object.entries(benches))
    if (positionals.length === 0 || positionals.includes(name)) {
      const own = await bench(console.log);
      // At once: should a later one fail, these are measured all the same.
      console.log(`\n${rowTable(own)}\n`);
      rows.push(...own);
    }
  if (values.json) console.log(JSON.stringify({ rows }));
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
