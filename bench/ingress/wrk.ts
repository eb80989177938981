import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { Terminal } from '../../shared/model/errors.ts';

const run = promisify(execFile);

export interface Measured {
  readonly requestsPerSecond: number;
  /** Milliseconds that 99 of 100 requests took at most. */
  readonly p99: number;
  readonly failed: number;
}

/** @throws Terminal wrk is not installed */
export function requireWrk(): void {
  if (spawnSync('wrk', ['-v']).error === undefined) return;
  throw new Terminal({
    code: 'wrk-missing',
    message: 'This bench needs wrk, the load generator.',
    remedy: 'Install it: apt-get install wrk',
  });
}

/** Requests over kept connections for some seconds. */
export async function wrk(
  url: string,
  host: string,
  { connections, seconds }: { readonly connections: number; readonly seconds: number },
): Promise<Measured> {
  const { stdout } = await run('wrk', [
    ...['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--latency', '--timeout', '5s'],
    ...['-H', `Host: ${host}`, url],
  ]);
  return measured(stdout);
}

/** What wrk prints. */
function measured(output: string): Measured {
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1];
  const [, value, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(output) ?? [];
  if (rate === undefined || value === undefined) throw new Error(`wrk printed something else:\n${output}`);
  const scale = { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's'];
  const failed = [...output.matchAll(/(?:connect|read|write|timeout|responses:) (\d+)/g)];
  return {
    requestsPerSecond: Number(rate),
    p99: Number(value) * scale,
    failed: failed.reduce((sum, [, count]) => sum + Number(count), 0),
  };
}
