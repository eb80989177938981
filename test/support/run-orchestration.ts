import { InvocationContext } from '@azure/functions';
import type { OrchestrationContext, Task } from 'durable-functions';
import type { Activity } from '../../functions/activities/activity.ts';
import type { Services } from '../../functions/services.ts';

/** What an orchestration asked for, in order, for tests to look at. */
export interface Asked {
  readonly name: string;
  readonly input: unknown;
}

export interface Run<T> {
  readonly output: T;
  readonly asked: readonly Asked[];
  /** When it ended, by its own clock. */
  readonly endedAt: Date;
}

type Fake = Task & { run(): Promise<unknown>; dueAt?: number; event?: string };

/**
 * Runs an orchestrator's generator against real activities: timers pass at once and move the clock, values cross as
 * JSON, an activity that throws is tried again as often as the orchestrator asked.
 * @param options.events external events that are there when they are waited for
 */
export async function runOrchestration<I, O>(
  orchestrator: (context: OrchestrationContext, input: I) => Generator<Task, O, unknown>,
  input: I,
  options: {
    readonly instanceId: string;
    readonly activities: readonly Activity<never, unknown>[];
    readonly services: Services;
    readonly clock: { now: Date };
    readonly events?: () => Readonly<Record<string, unknown>>;
    /** Answers orchestrations that this one calls. */
    readonly called?: (name: string, input: unknown, instanceId: string) => Promise<unknown>;
    /** Runs before the result of each step is given back: what happens in the world meanwhile. */
    readonly meanwhile?: (asked: readonly Asked[]) => void | Promise<void>;
  },
): Promise<Run<O>> {
  const { activities, services, clock } = options;
  const asked: Asked[] = [];
  let again: { readonly input: I } | undefined;
  const copy = (value: unknown): unknown =>
    value === undefined ? undefined : JSON.parse(JSON.stringify(value));
  const task = (rest: Omit<Fake, keyof Task>): Fake => ({
    isCompleted: false,
    isFaulted: false,
    ...rest,
  });

  const activity = async (name: string, attempts: number, given: unknown): Promise<unknown> => {
    asked.push({ name, input: given });
    const found = activities.find(({ signature }) => signature.name === name);
    if (found === undefined) throw new Error(`no activity ${name}`);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return copy(await found.run(copy(given), services, new InvocationContext()));
      } catch (error) {
        if (attempt >= attempts) throw error;
      }
    }
  };
  const pass = (until: number) => {
    clock.now = new Date(Math.max(clock.now.getTime(), until));
  };

  const df = {
    instanceId: options.instanceId,
    get currentUtcDateTime() {
      return new Date(clock.now);
    },
    callActivityWithRetry: (name: string, retry: { maxNumberOfAttempts: number }, given: unknown) =>
      task({ run: () => activity(name, retry.maxNumberOfAttempts, given) }),
    createTimer: (at: Date) =>
      Object.assign(task({ dueAt: at.getTime(), run: async () => pass(at.getTime()) }), { cancel: () => {} }),
    waitForExternalEvent: (event: string) =>
      task({ event, run: async () => copy(options.events?.()?.[event]) }),
    callSubOrchestrator: (name: string, given: unknown, instanceId: string) =>
      task({
        run: async () => {
          asked.push({ name, input: given });
          return copy(await options.called?.(name, copy(given), instanceId));
        },
      }),
    setCustomStatus: () => {},
    continueAsNew: (given: unknown) => {
      again = { input: copy(given) as I };
    },
    Task: {
      all: (tasks: Fake[]) => task({ run: () => Promise.all(tasks.map((one) => one.run())) }),
      any: (tasks: Fake[]) =>
        task({
          run: async () => {
            const events = options.events?.() ?? {};
            const first =
              tasks.find(({ event }) => event !== undefined && event in events) ??
              tasks.find(({ dueAt }) => dueAt !== undefined);
            if (first === undefined) throw new Error('nothing that is waited for will happen');
            first.result = await first.run();
            return first;
          },
        }),
    },
  };
  const context = Object.assign(new InvocationContext(), { df }) as unknown as OrchestrationContext;
  let generator = orchestrator(context, copy(input) as I);
  let step = generator.next();
  for (;;) {
    if (step.done === true) {
      if (again === undefined) return { output: step.value, asked, endedAt: clock.now };
      generator = orchestrator(context, again.input);
      again = undefined;
      step = generator.next();
      continue;
    }
    const { run } = step.value as Fake;
    let value: unknown;
    try {
      value = await run();
      await options.meanwhile?.(asked);
    } catch (error) {
      step = generator.throw(error);
      continue;
    }
    step = generator.next(value);
  }
}
