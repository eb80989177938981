import { z } from 'zod';
import { type EngineApi, jsonLines } from '../../infra/local/machine-runtime/engine-api.ts';

const Start = z.object({
  Actor: z.object({ Attributes: z.record(z.string(), z.string()) }),
  timeNano: z.number(),
});

/** When containers of a service were started, on any of several engines. */
export interface Starts {
  /** Milliseconds since 1970 at which the last of so many was. */
  reached(service: string, count: number): Promise<number>;
  close(): void;
}

/** A service's name as Berth and Swarm write it on its containers. */
const LABELS = ['berth.service', 'com.docker.swarm.service.name'];

/** Follows engines on their own sockets, whoever uses them: https://docs.docker.com/reference/api/engine/ (system events) */
export async function followStarts(engines: readonly EngineApi[]): Promise<Starts> {
  const controller = new AbortController();
  const times = new Map<string, number[]>();
  const waiting = new Set<() => void>();
  let failure: unknown;
  const tell = (): void => {
    for (const look of waiting) look();
  };
  const filters = JSON.stringify({ type: ['container'], event: ['start'] });
  for (const engine of engines) {
    const path = `/events?${new URLSearchParams({ filters })}`;
    const stream = await engine.stream('GET', path, undefined, controller.signal);
    const follow = async (): Promise<void> => {
      for await (const line of jsonLines(stream)) {
        const { Actor, timeNano } = Start.parse(line);
        const service = LABELS.map((label) => Actor.Attributes[label]).find((name) => name !== undefined);
        if (service === undefined) continue;
        times.set(service, [...(times.get(service) ?? []), timeNano / 1e6]);
        tell();
      }
    };
    follow().catch((error: unknown) => {
      failure = error;
      tell();
    });
  }
  return {
    reached: (service, count) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const seen = times.get(service) ?? [];
          if (seen.length < count && failure === undefined) return;
          waiting.delete(look);
          if (seen.length < count) reject(failure);
          else resolve(Math.max(...seen.slice(0, count)));
        };
        waiting.add(look);
        look();
      }),
    close: () => controller.abort(),
  };
}
