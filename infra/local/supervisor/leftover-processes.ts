import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Terminal } from '../../../shared/model/errors.ts';

const Recorded = z.array(z.object({ name: z.string(), pid: z.number().int(), file: z.string() }));
type Recorded = z.infer<typeof Recorded>;

/** Records which processes run, for a supervisor that comes after one that was killed. */
export const recordProcesses = (file: string, processes: Recorded): void =>
  writeFileSync(file, `${JSON.stringify(processes)}\n`);

/** Ends what a killed supervisor left running. A pid that meanwhile belongs to another program is not touched. */
export async function endLeftovers(file: string): Promise<void> {
  if (!existsSync(file)) return;
  for (const { pid, file: program } of Recorded.parse(JSON.parse(readFileSync(file, 'utf8')))) {
    if (!runs(pid, program)) continue;
    process.kill(pid, 'SIGTERM');
    const deadline = Date.now() + 20_000;
    while (runs(pid, program)) {
      if (Date.now() > deadline) process.kill(pid, 'SIGKILL');
      await sleep(50);
    }
  }
  rmSync(file, { force: true });
}

/**
 * One supervisor at a time for a directory.
 * @throws Terminal `already-running`
 */
export function takeLock(file: string): () => void {
  if (existsSync(file)) {
    const pid = Number(readFileSync(file, 'utf8'));
    if (runs(pid, 'supervisor/main.ts') && pid !== process.pid) {
      throw new Terminal({
        code: 'already-running',
        message: `This data centre is already running (process ${pid}).`,
        remedy: 'Use it with `npx berth status`, or end it with Ctrl-C where it runs.',
      });
    }
  }
  writeFileSync(file, `${process.pid}\n`);
  return () => rmSync(file, { force: true });
}

function runs(pid: number, program: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .some((word) => word.endsWith(program));
  } catch {
    return false;
  }
}
