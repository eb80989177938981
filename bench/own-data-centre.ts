import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { forgetDataCentre } from '../infra/local/supervisor/forget-data-centre.ts';
import { cacheOf } from '../infra/local/supervisor/prepare.ts';
import { type Progress, progress } from '../infra/local/supervisor/progress.ts';
import {
  type RunningDataCentre,
  type StartOptions,
  startDataCentre,
} from '../infra/local/supervisor/start-data-centre.ts';
import { removeDataCentre } from '../infra/local/supervisor/stop-machines.ts';
import type { Report } from './report.ts';

/** A data centre that is there for one bench. */
export interface OwnDataCentre {
  readonly running: RunningDataCentre;
  readonly steps: Progress;
  readonly signal: AbortSignal;
  /** Done before the data centre goes, last first, also when the work is interrupted. */
  finally(undo: () => Promise<void>): void;
  /** Calls the app as the administrator. */
  call<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T>;
}

export const checkout = fileURLToPath(new URL('..', import.meta.url));

/** Brings a data centre up, lets `work` use it, and removes everything, also after a failure or Ctrl-C. */
export async function withDataCentre<T>(
  report: Report,
  { folder = 'bench', ...options }: Pick<StartOptions, 'programs'> & { readonly folder?: string },
  work: (own: OwnDataCentre) => Promise<T>,
): Promise<T> {
  const { signal, stop } = interruption();
  const steps = progress(
    { isTTY: false, columns: 120, color: false, write: (text) => report(text.trimEnd()) },
    Date.now,
  );
  const directory = join(checkout, '.berth', folder);
  const dockerHost = process.env['DOCKER_HOST'];
  const forget = async (): Promise<void> => {
    await forgetDataCentre(directory, dockerHost, steps);
    await rm(directory, { recursive: true, force: true });
  };
  await forget();
  const running = await startDataCentre({
    ...{ directory, cache: cacheOf(checkout), app: checkout, dockerHost, progress: steps, signal },
    ...options,
  }).catch(async (error: unknown) => {
    await forget();
    throw error;
  });
  const undos: (() => Promise<void>)[] = [];
  try {
    const own: OwnDataCentre = {
      ...{ running, steps, signal, call: caller(running) },
      finally: (undo) => void undos.push(undo),
    };
    return await Promise.race([work(own), aborted(signal)]);
  } finally {
    await steps.step('remove machines, network and state', async () => {
      for (const undo of undos.reverse())
        await undo().catch((error: unknown) => report(`could not be undone: ${error}`));
      await running.stop();
      await removeDataCentre(running.engine, running.dataCentre);
      await rm(directory, { recursive: true, force: true });
    });
    stop();
  }
}

function caller({ dataCentre, keys }: RunningDataCentre): OwnDataCentre['call'] {
  return async (schema, method, path, body) => {
    const response = await fetch(`https://${dataCentre.gateway}:${dataCentre.ports.app}${path}`, {
      method,
      headers: { authorization: `Bearer ${keys.admin}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`);
    return schema.parse(text === '' ? undefined : JSON.parse(text));
  };
}

function interruption(): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new Error('interrupted'));
  process.on('SIGINT', abort);
  process.on('SIGTERM', abort);
  return {
    signal: controller.signal,
    stop() {
      process.off('SIGINT', abort);
      process.off('SIGTERM', abort);
    },
  };
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
