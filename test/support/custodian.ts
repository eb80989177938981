import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a test has brought up, and how it is found again by another process. */
export type Estate =
  /** As `npm start` brings it up, in this directory. */
  | { readonly kind: 'data-centre'; readonly directory: string }
  /** Machines without a data centre around them. */
  | { readonly kind: 'machines'; readonly directory: string; readonly id: string }
  /** A Docker engine of the test's own, with its bridge if it has one. */
  | { readonly kind: 'engine'; readonly directory: string; readonly bridge: string | undefined };

const program = fileURLToPath(new URL('./custodian-process.ts', import.meta.url));

/**
 * Has a process of its own remove what a test brings up, should the test's process be killed: engines and virtual machines
 * outlive it otherwise. @returns what dismisses it, once the test has removed everything itself
 */
export function entrust(estate: Estate): () => void {
  const child = spawn(process.execPath, [program, JSON.stringify(estate)], {
    // What is killed may be the whole group.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  child.stdin.on('error', () => {});
  return () => void child.stdin.end('done');
}
