import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { Retryable, Terminal } from '../../../shared/model/errors.ts';
import { forgetDataCentre } from './forget-data-centre.ts';
import { mainJob } from './main-job.ts';
import { parseOptions, USAGE } from './options.ts';
import { cacheOf } from './prepare.ts';
import { type Progress, progress } from './progress.ts';
import { type RunningDataCentre, startDataCentre } from './start-data-centre.ts';
import { removeDataCentre } from './stop-machines.ts';
import { summary } from './summary.ts';

const CHECKOUT = resolve(import.meta.dirname, '../../..');

/** What a shell gives back after Ctrl-C. */
const INTERRUPTED = 130;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  requireNode(process.versions.node);
  const shown = progress(
    {
      isTTY: process.stdout.isTTY === true,
      columns: process.stdout.columns || 80,
      color: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
      write: (text) => process.stdout.write(text),
    },
    Date.now,
  );
  const directory = join(CHECKOUT, '.berth', ...(options.once ? ['once'] : []));
  if (options.reset || options.once) await forgetDataCentre(directory, process.env['DOCKER_HOST'], shown);

  const signal = interruption();
  let running: RunningDataCentre | undefined;
  try {
    running = await startDataCentre({
      directory,
      cache: cacheOf(CHECKOUT),
      app: options.packaged ? join(CHECKOUT, 'dist/package') : CHECKOUT,
      dockerHost: process.env['DOCKER_HOST'],
      machines: options.machines,
      progress: shown,
      signal,
    });
    const { addresses } = await mainJob(running, {
      checkout: CHECKOUT,
      cache: cacheOf(CHECKOUT),
      progress: shown,
      signal,
    });
    for (const line of summary(running, addresses, options.once)) shown.line(line);
    if (!options.once && !signal.aborted) await once(signal, 'abort');
    return signal.aborted && options.once ? INTERRUPTED : 0;
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    await stop(running, options.once, shown);
  }
}

async function stop(running: RunningDataCentre | undefined, remove: boolean, shown: Progress): Promise<void> {
  if (running === undefined) return;
  const { engine, dataCentre } = running;
  await shown.step('stop what was started', () => running.stop());
  if (remove)
    await shown.step('remove machines, network and state', () => removeDataCentre(engine, dataCentre));
}

/** Aborted by the first Ctrl-C or SIGTERM; a second one does not cut the cleaning up short. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => controller.abort(new Error(`interrupted by ${name}`)));
  return controller.signal;
}

function requireNode(version: string): void {
  if (Number(version.split('.')[0]) >= 24) return;
  throw new Terminal({
    code: 'node-too-old',
    message: `This is Node.js ${version}; Berth needs 24, which \`npm ci\` brings as an optional dependency.`,
    remedy: 'Run `npm ci` without --omit=optional and start with `npm start`, or install Node.js 24.',
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = 1;
  if (error instanceof Terminal || error instanceof Retryable)
    console.error(`\n${error.message}\n→ ${error.remedy}\n(${error.code})`);
  else console.error(error);
}
// What a library may have left open must not keep a finished program.
process.exit();
