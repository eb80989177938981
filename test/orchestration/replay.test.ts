import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { InvocationContext } from '@azure/functions';
import type { OrchestrationContext, OrchestrationHandler } from 'durable-functions';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { deliver } from '../../functions/orchestrators/deliver-events.ts';
import { provision } from '../../functions/orchestrators/provision-machine.ts';
import { rollOutService } from '../../functions/orchestrators/roll-out.ts';
import { run } from '../../functions/orchestrators/run-job.ts';
import { deliverEvents } from '../../shared/events/deliver-events.ts';
import { provisionMachine } from '../../shared/machines/provisioning.ts';
import { rollOut } from '../../shared/workloads/roll-out.ts';
import { runJob } from '../../shared/workloads/run-job.ts';

const STARTED = 0;
const COMPLETED = 1;
/** What a turn is told; the rest of its events is what it decided. */
const INCOMING = new Set([12, STARTED, 5, 6, 8, 9, 11, 15]);

const Event = z.looseObject({
  EventType: z.number(),
  EventId: z.number(),
  Name: z.string().optional(),
  Input: z.string().nullish(),
  Result: z.string().nullish(),
});
type Event = z.infer<typeof Event>;
const History = z.object({
  orchestration: z.string(),
  instanceId: z.string(),
  turns: z.array(z.array(Event)),
});

const handlers: Record<string, OrchestrationHandler> = {
  [rollOut.name]: function* (context: OrchestrationContext) {
    return yield* rollOutService(context, rollOut.input.parse(context.df.getInput()));
  },
  [runJob.name]: function* (context: OrchestrationContext) {
    return yield* run(context, runJob.input.parse(context.df.getInput()));
  },
  [deliverEvents.name]: function* (context: OrchestrationContext) {
    return yield* deliver(context, deliverEvents.input.parse(context.df.getInput()));
  },
  [provisionMachine.name]: function* (context: OrchestrationContext) {
    return yield* provision(context, provisionMachine.input.parse(context.df.getInput()));
  },
};

/** The library's own replay, which it exports for tests without types. */
const { createOrchestrator } = createRequire(import.meta.url)(
  'durable-functions/lib/src/util/testingUtils.js',
) as {
  createOrchestrator(
    handler: OrchestrationHandler,
  ): (trigger: unknown, context: InvocationContext) => Promise<unknown>;
};
const State = z.object({
  isDone: z.boolean(),
  output: z.unknown(),
  actions: z.array(z.array(z.looseObject({ actionType: z.number(), functionName: z.string().optional() }))),
  error: z.string().optional(),
});

async function replay({ orchestration, instanceId, turns }: z.infer<typeof History>, turn: number) {
  const before = turns.slice(0, turn).flat();
  const told = (turns[turn] ?? []).filter(({ EventType }) => INCOMING.has(EventType));
  const history = [...before.map((event) => ({ ...event, IsPlayed: true })), ...told];
  const answer = await createOrchestrator(handlers[orchestration]!)(
    {
      history,
      input: JSON.parse(history.find(({ EventType }) => EventType === STARTED)?.Input ?? 'null') as unknown,
      instanceId,
      isReplaying: turn > 0,
      parentInstanceId: null,
      upperSchemaVersion: 1,
      upperSchemaVersionNew: 3,
      longRunningTimerIntervalDuration: '3.00:00:00',
      maximumShortTimerDuration: '6.00:00:00',
      defaultHttpAsyncRequestSleepTimeMillseconds: 30000,
    },
    new InvocationContext({ functionName: orchestration, logHandler: () => {} }),
  );
  return State.parse(answer);
}

/** Names of what was scheduled: activities and orchestrations, also those inside a Task.all. */
const scheduled = (events: readonly Event[]): string[] =>
  events.filter(({ EventType }) => EventType === 4 || EventType === 7).map(({ Name }) => Name ?? '');
const asked = (actions: unknown): string[] =>
  z
    .looseObject({ functionName: z.string().optional(), compoundActions: z.array(z.unknown()).optional() })
    .array()
    .parse(actions)
    .flatMap(({ functionName, compoundActions }) =>
      compoundActions ? asked(compoundActions) : functionName === undefined ? [] : [functionName],
    );

const folder = new URL('../fixtures/histories/', import.meta.url);
describe('recorded histories', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  test.each(names)('%s replays, turn by turn, to what it decided then', async (name) => {
    const recorded = History.parse(JSON.parse(readFileSync(new URL(name, folder), 'utf8')));
    for (const turn of recorded.turns.keys()) {
      const state = await replay(recorded, turn);
      expect(state.error).toBeUndefined();
      expect(asked(state.actions.flat())).toEqual(scheduled(recorded.turns.slice(0, turn + 1).flat()));
      const end = recorded.turns[turn]?.find(({ EventType }) => EventType === COMPLETED);
      expect(state.isDone).toBe(end !== undefined);
      // What records have come to say since then is added by their schemas.
      if (end !== undefined)
        expect({ output: state.output }).toMatchObject({ output: JSON.parse(end.Result ?? 'null') });
    }
  });
});
