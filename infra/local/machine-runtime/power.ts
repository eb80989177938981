import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Running } from '../data-centre.ts';
import { type EngineApi, jsonLines } from './engine-api.ts';
import { containerName, dataCentreLabel, machineLabel } from './machine-container.ts';
import { readEnding } from './machine-containers.ts';
import { readPower, writePower } from './machine-folder.ts';

export interface PowerOptions {
  readonly api: EngineApi;
  readonly id: string;
  readonly directory: string;
  readonly start: (machine: string) => Promise<void>;
  /** Starts all that should run and do not. */
  readonly resume: () => Promise<void>;
  readonly report: (line: string) => void;
}

const Died = z.object({
  Actor: z.object({ Attributes: z.record(z.string(), z.string()) }),
});

/**
 * Does what a hypervisor does when a machine's system ends: starts it again after a reboot, leaves it down after a
 * power-off. Follows the engine's events until it is closed.
 */
export async function followPower(options: PowerOptions): Promise<Running> {
  const closing = new AbortController();
  const filters = JSON.stringify({
    type: ['container'],
    event: ['die'],
    label: [`${dataCentreLabel}=${options.id}`, machineLabel],
  });
  const open = () =>
    options.api.stream('GET', `/events?${new URLSearchParams({ filters })}`, undefined, closing.signal);
  let events = await open();
  const follow = async () => {
    while (!closing.signal.aborted) {
      try {
        for await (const event of jsonLines(events))
          await answerEnd(options, Died.parse(event).Actor.Attributes[machineLabel] ?? '');
      } catch (error) {
        if (!closing.signal.aborted) options.report(`machines’ power: ${error}`);
      }
      // The engine went away, and its containers with it: it comes back, or somebody closes this.
      events = await reopened(open, closing.signal);
      await options.resume();
    }
  };
  const ended = follow().catch(() => {});
  return {
    close: async () => {
      closing.abort();
      events.destroy();
      await ended;
    },
  };
}

async function reopened<T>(open: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    await sleep(500, undefined, { signal });
    try {
      return await open();
    } catch (error) {
      if (signal.aborted) throw error;
    }
  }
}

/**
 * What to do about a machine that should run and does not. `halt` is how it ends when it is stopped from outside,
 * by this runtime or with the engine.
 */
export async function answerEnd(options: Omit<PowerOptions, 'resume'>, machine: string): Promise<void> {
  if (readPower(options.directory, machine) !== 'on') return;
  switch (await readEnding(options.api, containerName(options.id, machine))) {
    case 'reboot':
      options.report(`${machine} reboots`);
      return options.start(machine);
    case 'poweroff':
      options.report(`${machine} has powered off`);
      return writePower(options.directory, machine, 'off');
  }
}
