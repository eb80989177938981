/** Ports of machines that Berth gives to replicas. */
export const FIRST_PORT = 20_000;
export const LAST_PORT = 29_999;
const COUNT = LAST_PORT - FIRST_PORT + 1;

/** The first free one from `from` on, round again at the end: the same snapshot gives the same port. */
export function freePort(taken: readonly number[], from = FIRST_PORT): number | undefined {
  // A set of few is slower than looking through them.
  const used = taken.length > 50 ? new Set(taken) : undefined;
  for (let step = 0; step < COUNT; step += 1) {
    const port = FIRST_PORT + ((from - FIRST_PORT + step) % COUNT);
    if (!(used?.has(port) ?? taken.includes(port))) return port;
  }
  return undefined;
}

/** Each is held once, so that counting them tells. */
export const hasFreePort = ({ ports }: { readonly ports: readonly number[] }): boolean =>
  ports.length < COUNT || freePort(ports) !== undefined;

/** The first of a machine's GPUs that nothing has, as many as are asked for: engines know them by number. */
export function freeGpuNumbers(total: number, taken: readonly number[], wanted: number): readonly number[] {
  const free: number[] = [];
  for (let gpu = 0; gpu < total && free.length < wanted; gpu += 1) if (!taken.includes(gpu)) free.push(gpu);
  return free;
}
