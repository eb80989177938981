import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds. */
const PAUSE = 1_000;
const LOOK = 500;
/** Who makes work all the time is not waited for longer than this. */
const LONGEST = 20_000;
/** Share of the processors' time: a data centre with nothing to do has less. */
const AT_REST = 0.15;

/**
 * What was removed is taken apart after the engine has answered: the kernel's networks and control groups, the engines' own
 * networks of several machines. That slows the next start: both sides begin when this computer has come to rest, a second
 * after the last removal at the earliest.
 */
export async function settled(): Promise<void> {
  const begin = Date.now();
  await sleep(PAUSE);
  for (let before = times(); Date.now() - begin < LONGEST; ) {
    await sleep(LOOK);
    const after = times();
    if ((after.busy - before.busy) / (after.all - before.all) < AT_REST) return;
    before = after;
  }
}

/** Milliseconds of all processors since the computer started. */
function times(): { readonly busy: number; readonly all: number } {
  const sums = cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({
    busy: user + nice + sys + irq,
    idle,
  }));
  const busy = sums.reduce((total, one) => total + one.busy, 0);
  return { busy, all: busy + sums.reduce((total, one) => total + one.idle, 0) };
}
