import { bundleRegistry } from '../../build/registry.mjs';

/**
 * `npm run registry`: bundles the registry and becomes that program, with limits that keep its memory small: bodies pass through
 * in pieces that are garbage at once, and glibc would keep an arena of them for each thread. V8 lets garbage grow
 * with what its heap may have; this much is many times what is in use.
 */
const file = await bundleRegistry();
process.execve(
  process.execPath,
  [process.execPath, '--max-semi-space-size=2', '--max-old-space-size=256', file],
  {
    ...process.env,
    MALLOC_ARENA_MAX: '1',
  },
);
