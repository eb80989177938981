import { InvocationContext } from '@azure/functions';
import type { DurableClient, OrchestrationContext, Task } from 'durable-functions';
import type { Activity } from '../../../functions/activities/activity.ts';
import type { Services } from '../../../functions/services.ts';
import type { Draws, VirtualTime } from './virtual-time.ts';

type Orchestrator = (context: OrchestrationContext, input: never) => Generator<Task, unknown, unknown>;

interface Instance {
  status: 'Running' | 'Completed' | 'Failed';
  output?: unknown;
  readonly events: { readonly name: string; readonly data: unknown }[];
  readonly ended: Promise<void>;
  /** Wakes whoever waits for an event. */
  told: () => void;
  dead: boolean;
}

/** A task of the simulated host: its result is asked for once it is waited for. */
type SimulatedTask = Task & { start(): Promise<unknown>; cancelled?: boolean };

const copy = <T>(value: T): T => (value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T));

/**
 * Durable orchestrations on a virtual clock: activities run at least once, sometimes twice, as after a crash between
 * their effect and its record; an orchestration may be ended at any moment, as by storage that is lost.
 */
export function durableHost(
  time: Pick<VirtualTime, 'now' | 'sleep'>,
  random: Draws,
  options: {
    readonly activities: readonly Activity<never, unknown>[];
    readonly orchestrators: Readonly<Record<string, Orchestrator>>;
    services(): Services;
    /** Whether the host ends after this activity's effect, before its record. */
    crashes(activity: string): boolean;
  },
) {
  const instances = new Map<string, Instance>();
  const quiet = () => new InvocationContext({ logHandler: () => {} });

  async function activity(name: string, attempts: number, first: number, most: number, input: unknown) {
    const found = options.activities.find(({ signature }) => signature.name === name);
    if (found === undefined) throw new Error(`no activity ${name}`);
    const once = async () => {
      await time.sleep(random.between(1, 100));
      return copy(await found.run(copy(input), options.services(), quiet()));
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (options.crashes(name)) {
          // The first run may still be going on while the second begins.
          const lost = once().catch(() => undefined);
          await (random.happens(0.5) ? lost : time.sleep(random.between(1, 500)));
        }
        return await once();
      } catch (error) {
        if (attempt >= attempts) throw error;
        await time.sleep(Math.min(most, first * 2 ** (attempt - 1)));
      }
    }
  }

  function run(id: string, orchestrator: Orchestrator, input: unknown): Promise<unknown> {
    const instance: Instance = {
      status: 'Running',
      events: [],
      ended: Promise.resolve(),
      told: () => {},
      dead: false,
    };
    const task = (start: () => Promise<unknown>): SimulatedTask => {
      let begun: Promise<unknown> | undefined;
      const made: SimulatedTask = {
        isCompleted: false,
        isFaulted: false,
        start: () => {
          begun ??= start().then((result) => {
            made.result = result;
            return result;
          });
          return begun;
        },
      };
      return made;
    };
    const event = async (name: string): Promise<unknown> => {
      for (;;) {
        const index = instance.events.findIndex((one) => one.name === name);
        if (index >= 0) return instance.events.splice(index, 1)[0]?.data;
        await new Promise<void>((resolve) => {
          const before = instance.told;
          instance.told = () => {
            before();
            resolve();
          };
        });
      }
    };
    const df = {
      instanceId: id,
      get currentUtcDateTime() {
        return time.now();
      },
      callActivityWithRetry: (
        name: string,
        retry: {
          maxNumberOfAttempts: number;
          firstRetryIntervalInMilliseconds: number;
          maxRetryIntervalInMilliseconds: number;
        },
        given: unknown,
      ) =>
        task(() =>
          activity(
            name,
            retry.maxNumberOfAttempts,
            retry.firstRetryIntervalInMilliseconds,
            retry.maxRetryIntervalInMilliseconds,
            given,
          ),
        ),
      createTimer: (at: Date) =>
        Object.assign(
          task(() => time.sleep(at.getTime() - time.now().getTime())),
          { cancel: () => {} },
        ),
      waitForExternalEvent: (name: string) => task(() => event(name)),
      callSubOrchestrator: (name: string, given: unknown, child: string) =>
        task(() => start(name, child, given)),
      setCustomStatus: () => {},
      Task: {
        all: (tasks: SimulatedTask[]) => task(() => Promise.all(tasks.map((one) => one.start()))),
        any: (tasks: SimulatedTask[]) =>
          task(() => Promise.race(tasks.map((one) => one.start().then(() => one)))),
      },
    };
    const context = Object.assign(quiet(), { df }) as unknown as OrchestrationContext;
    const never = new Promise<never>(() => {});
    const going = (async () => {
      const generator = orchestrator(context, copy(input) as never);
      let step = generator.next();
      while (step.done !== true) {
        let value: unknown;
        let failure: { error: unknown } | undefined;
        try {
          value = await (step.value as SimulatedTask).start();
        } catch (error) {
          failure = { error };
        }
        if (instance.dead) return await never;
        step = failure === undefined ? generator.next(value) : generator.throw(failure.error);
      }
      return copy(step.value);
    })();
    const ended = going.then(
      (output) => {
        instance.status = 'Completed';
        instance.output = output;
        return output;
      },
      (error: unknown) => {
        instance.status = 'Failed';
        throw error;
      },
    );
    instances.set(
      id,
      Object.assign(instance, {
        ended: ended.then(
          () => {},
          () => {},
        ),
      }),
    );
    return ended;
  }

  function start(name: string, id: string, input: unknown): Promise<unknown> {
    const orchestrator = options.orchestrators[name];
    if (orchestrator === undefined) throw new Error(`no orchestrator ${name}`);
    if (instances.get(id)?.status === 'Running') throw new Error(`${id} is running`);
    return run(id, orchestrator, input);
  }

  const client = {
    async getStatus(id: string) {
      const found = instances.get(id);
      if (found === undefined) throw new Error(`replied with HTTP 404 response: ${id}`);
      return { runtimeStatus: found.status };
    },
    async startNew(name: string, { instanceId, input }: { instanceId: string; input: unknown }) {
      void start(name, instanceId, input).catch(() => {});
      return instanceId;
    },
    async raiseEvent(id: string, name: string, data: unknown) {
      const found = instances.get(id);
      if (found === undefined) throw new Error(`No instance with ID '${id}' found.`);
      found.events.push({ name, data: copy(data) });
      found.told();
    },
  } as unknown as DurableClient;

  return {
    client,
    start,
    /** Ids of what is going on. */
    going: (): string[] => [...instances].filter(([, { status }]) => status === 'Running').map(([id]) => id),
    /** Ends an orchestration where it is; what its activities are doing goes on. */
    interrupt(id: string): void {
      const found = instances.get(id);
      if (found?.status !== 'Running') return;
      found.dead = true;
      found.status = 'Failed';
    },
  };
}
