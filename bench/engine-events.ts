import { z } from 'zod';
import { engineApi, jsonLines } from '../infra/local/machine-runtime/engine-api.ts';

/** What an engine says of a container, by the clock of this computer: milliseconds since 1970. */
export interface Seen {
  readonly created: number;
  readonly running: number;
  readonly id: string;
}

export interface EngineEvents {
  /** Resolves once a container of this name, or of this image, has been started. */
  started(nameOrImage: string): Promise<Seen>;
  close(): void;
}

const Event = z.object({
  Action: z.enum(['create', 'start']),
  Actor: z.object({ ID: z.string(), Attributes: z.object({ name: z.string(), image: z.string() }) }),
  timeNano: z.number(),
});

/** Follows an engine on its own socket, whoever uses it: https://docs.docker.com/reference/api/engine/ (system events) */
export async function followEngine(socket: string): Promise<EngineEvents> {
  const controller = new AbortController();
  const created = new Map<string, number>();
  const waiting = new Map<string, PromiseWithResolvers<Seen>>();
  const entryOf = (name: string): PromiseWithResolvers<Seen> => {
    const entry = waiting.get(name) ?? Promise.withResolvers<Seen>();
    waiting.set(name, entry);
    return entry;
  };
  const filters = JSON.stringify({ type: ['container'], event: ['create', 'start'] });
  const path = `/events?${new URLSearchParams({ filters })}`;
  const stream = await engineApi(socket).stream('GET', path, undefined, controller.signal);
  const follow = async (): Promise<void> => {
    for await (const line of jsonLines(stream)) {
      const { Action, Actor, timeNano } = Event.parse(line);
      const at = timeNano / 1e6;
      if (Action === 'create') created.set(Actor.ID, at);
      else {
        const seen = { id: Actor.ID, created: created.get(Actor.ID) ?? at, running: at };
        entryOf(Actor.Attributes.name).resolve(seen);
        entryOf(Actor.Attributes.image).resolve(seen);
      }
    }
  };
  follow().catch((error: unknown) => {
    if (!controller.signal.aborted) for (const entry of waiting.values()) entry.reject(error);
  });
  return { started: (name) => entryOf(name).promise, close: () => controller.abort() };
}
