import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { Terminal } from '../../../shared/model/errors.ts';

export interface ProcessSpec {
  readonly name: string;
  /** Arguments of node: the file, and what it takes. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly log: string;
}

/** A process of the data centre: kept running until it is stopped. */
export interface SupervisedProcess {
  readonly name: string;
  /** Of the process that runs now. */
  pid(): number | undefined;
  /** Resolves at its next `ready`; at once if it is ready. */
  ready(): Promise<void>;
  /** SIGTERM, SIGKILL after 20 s. */
  stop(): Promise<void>;
}

/** A process that ran this long is started again at once; below, the wait doubles up to 5 s. Milliseconds. */
const STEADY_MS = 10_000;
const LONGEST_WAIT_MS = 5_000;
const STOP_MS = 20_000;
/** What a process prints once it serves. */
const READY = /^(ready|\{"ready":true,.*)$/;
/** Failing this often before it was ever ready, it will not become so. */
const HOPELESS = 5;

/**
 * Starts a process that prints `ready` once it serves, and starts it again whenever it ends.
 * @param changed told whenever another process runs or none does
 */
export function superviseProcess(
  spec: ProcessSpec,
  report: (line: string) => void,
  changed: () => void,
): SupervisedProcess {
  mkdirSync(dirname(spec.log), { recursive: true });
  try {
    renameSync(spec.log, `${spec.log}.1`);
  } catch {
    // The first start has no older log.
  }
  const log = createWriteStream(spec.log, { flags: 'a' });
  let child: ChildProcess | undefined;
  let stopping = false;
  let waits = 0;
  let everReady = false;
  let timer: NodeJS.Timeout | undefined;
  let readiness = Promise.withResolvers<void>();
  const recent: string[] = [];

  const start = (): void => {
    const startedAt = Date.now();
    const made = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...spec.arguments], {
      cwd: spec.workingDirectory,
      env: spec.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A terminal's Ctrl-C is for the supervisor, which stops the others in order.
      detached: true,
    });
    child = made;
    changed();
    for (const stream of [made.stdout, made.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        log.write(`${new Date().toISOString()} ${line}\n`);
        if (READY.test(line)) {
          everReady = true;
          readiness.resolve();
        } else if (recent.push(line) > 15) recent.shift();
      });
    }
    made.once('close', (code, signal) => {
      child = undefined;
      changed();
      if (stopping) return;
      waits = Date.now() - startedAt > STEADY_MS ? 0 : waits + 1;
      if (!everReady && waits >= HOPELESS) {
        readiness.reject(neverReady(spec, recent));
        return;
      }
      if (everReady) readiness = Promise.withResolvers<void>();
      report(`${spec.name} ended with ${signal ?? `exit code ${code}`}: starting it again`);
      timer = setTimeout(start, waits === 0 ? 0 : Math.min(LONGEST_WAIT_MS, 100 * 2 ** waits));
    });
  };
  start();

  return {
    name: spec.name,
    pid: () => child?.pid,
    ready: () => readiness.promise,
    async stop() {
      stopping = true;
      clearTimeout(timer);
      // Nobody may be waiting for a readiness that now never comes.
      readiness.promise.catch(() => {});
      if (child !== undefined) await ended(child);
      log.end();
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await closed;
  clearTimeout(force);
}

const neverReady = (spec: ProcessSpec, recent: readonly string[]): Terminal =>
  new Terminal({
    code: 'process-not-ready',
    message: `The ${spec.name} process ends whenever it is started. Its last lines:\n${recent.map((line) => `  ${line}`).join('\n')}`,
    remedy: `Its whole log is ${spec.log}.`,
  });
