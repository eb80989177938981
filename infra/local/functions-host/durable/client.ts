import { randomUUID } from 'node:crypto';
import { type EventBody, EventType, event } from './history.ts';
import type { Hub } from './hub.ts';
import type { Outcome } from './message.ts';

/** A request that cannot be met. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Starts an orchestration and runs its first turn. @throws Refused; @returns its id */
export async function start(
  { engine, functions }: Hub,
  request: { name: string; id: string | undefined; version: string; input: string | null },
): Promise<string> {
  const id = request.id ?? randomUUID().replaceAll('-', '');
  if (functions.orchestrator(request.name) === undefined)
    throw new Refused(400, `There is no orchestrator function '${request.name}'.`);
  if (id.startsWith('@') || id.length > 256 || /[/\\#?\p{Cc}]/u.test(id))
    throw new Refused(
      400,
      `'${id}' is no instance id: at most 256 characters, no leading @, none of / \\ # ? and no control characters.`,
    );
  const { name, version, input } = request;
  const outcome = await new Promise<Outcome>((settle, fail) =>
    engine.post(id, { start: { name, version, input, parent: undefined }, events: [], settle, fail }),
  );
  if (outcome !== 'taken') throw new Refused(409, `An orchestration with the id '${id}' is running already.`);
  return id;
}

/** Gives an orchestration an event. @returns what became of it, once the table has it */
export const send = ({ engine }: Hub, id: string, body: EventBody): Promise<Outcome> =>
  new Promise((settle, fail) => engine.post(id, { events: [event(body)], settle, fail }));

export const raise = (hub: Hub, id: string, name: string, input: string | null): Promise<Outcome> =>
  send(hub, id, { EventType: EventType.EventRaised, Name: name, Input: input });

export const terminate = (hub: Hub, id: string, reason: string | null): Promise<Outcome> =>
  send(hub, id, { EventType: EventType.ExecutionTerminated, Input: reason });

/** Tells an entity to do something, without an answer; done once the entity's new state is stored. */
export const signal = (
  { entities }: Hub,
  entity: string,
  op: string,
  input: string | undefined,
): Promise<void> =>
  new Promise((settle, fail) =>
    entities.post(entity, {
      id: undefined,
      message: {
        name: 'op',
        input: JSON.stringify({
          op,
          signal: true,
          id: randomUUID(),
          ...(input === undefined ? {} : { input }),
        }),
      },
      settle,
      fail,
    }),
  );
