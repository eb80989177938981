import { appendFileSync } from 'node:fs';
import { app } from '@azure/functions';
import * as df from 'durable-functions';

const note = (line: unknown) => appendFileSync(process.env.TEST_NOTES ?? '', `${JSON.stringify(line)}\n`);

/** Calls one method of the durable client: `{op, args}`; dates and entity ids are marked. */
app.http('client', {
  route: 'client',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context) as unknown as Record<
      string,
      (...args: unknown[]) => Promise<unknown>
    >;
    const { op, args } = (await request.json()) as { op: string; args: unknown[] };
    try {
      return { jsonBody: { value: (await client[op]?.(...args.map(marked))) ?? null } };
    } catch (error) {
      return { jsonBody: { error: error instanceof Error ? error.message : String(error) } };
    }
  },
});

function marked(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('entity' in value) return new df.EntityId(...(value.entity as [string, string]));
  if ('date' in value) return new Date(String(value.date));
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, Array.isArray(one) ? one : marked(one)]),
  );
}

df.app.activity('hello', { handler: (name: string) => `Hello ${name}` });
df.app.activity('kindOf', { handler: (value: unknown) => (value === null ? 'null' : typeof value) });
df.app.activity('sleep', {
  handler: async ({ ms, value }: { ms: number; value: unknown }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return value;
  },
});
const tries = new Map<string, number>();
df.app.activity('flaky', {
  handler: ({ key, failures }: { key: string; failures: number }) => {
    const count = (tries.get(key) ?? 0) + 1;
    tries.set(key, count);
    if (count <= failures) throw new Error(`try ${count} fails`);
    return count;
  },
});
df.app.activity('noted', {
  handler: async ({ key, ms }: { key: string; ms: number }) => {
    note({ activity: key });
    await new Promise((resolve) => setTimeout(resolve, ms));
    return key;
  },
});
df.app.activity('big', { handler: (length: number) => 'x'.repeat(length) });

df.app.orchestration('chain', function* (context) {
  const input = context.df.getInput() as { who: string };
  context.df.setCustomStatus({ step: 1 });
  const first: string = yield context.df.callActivity('hello', input.who);
  const second: string = yield context.df.callActivity('hello', '123');
  return [first, second];
});

df.app.orchestration('kinds', function* (context) {
  const kinds: string[] = [];
  for (const value of ['text', 5, true, null, [1], { a: 1 }])
    kinds.push(yield context.df.callActivity('kindOf', value));
  return kinds;
});

df.app.orchestration('fan', function* (context) {
  const count = context.df.getInput() as number;
  const tasks = Array.from({ length: count }, (_, index) =>
    context.df.callActivity('sleep', { ms: 1, value: index }),
  );
  return yield context.df.Task.all(tasks);
});

df.app.orchestration('retry', function* (context) {
  const options = new df.RetryOptions(10, 4);
  const key = context.df.instanceId;
  const good: number = yield context.df.callActivityWithRetry('flaky', options, { key, failures: 2 });
  let error = '';
  try {
    yield context.df.callActivityWithRetry('flaky', new df.RetryOptions(10, 2), {
      key: `${key}!`,
      failures: 9,
    });
  } catch (caught) {
    error = (caught as Error).message;
  }
  const after: string = yield context.df.callActivity('hello', 'after');
  return { good, failed: error.includes('try 2 fails'), after };
});

df.app.orchestration('timer', function* (context) {
  const start = context.df.currentUtcDateTime.getTime();
  yield context.df.createTimer(new Date(start + 300));
  return context.df.currentUtcDateTime.getTime() - start >= 300;
});

df.app.orchestration('approval', function* (context) {
  const timeout = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 3_600_000));
  const approval = context.df.waitForExternalEvent('Approved');
  const winner: unknown = yield context.df.Task.any([timeout, approval]);
  if (winner !== approval) return 'timeout';
  timeout.cancel();
  return { by: approval.result };
});

df.app.orchestration('parent', function* (context) {
  const child: unknown = yield context.df.callSubOrchestrator('chain', { who: 'child' });
  let error = '';
  try {
    yield context.df.callSubOrchestrator('failing', {}, `${context.df.instanceId}:f`);
  } catch (caught) {
    error = (caught as Error).message;
  }
  return { child, error };
});

df.app.orchestration('failing', function* (context) {
  yield context.df.callActivity('hello', 'x');
  throw new Error('the orchestrator broke');
});

df.app.orchestration('eternal', function* (context) {
  const { round } = context.df.getInput() as { round: number };
  const item: unknown = yield context.df.waitForExternalEvent('item');
  if (item === 'stop') return round;
  context.df.continueAsNew({ round: round + 1 });
  return undefined;
});

df.app.orchestration('counting', function* (context) {
  const counter = new df.EntityId('Counter', context.df.instanceId);
  context.df.signalEntity(counter, 'add', 5);
  const sum: number = yield context.df.callEntity(counter, 'add', 7);
  const lock: { release(): void } = yield context.df.lock(counter, new df.EntityId('Counter', 'shared'));
  const locked: number = yield context.df.callEntity(counter, 'add', 1);
  lock.release();
  const after: string = yield context.df.callActivity('hello', 'unlocked');
  return { sum, locked, after };
});

df.app.orchestration('long', function* (context) {
  const text: string = yield context.df.callActivity('big', 300_000);
  const kind: string = yield context.df.callActivity('kindOf', text);
  return { length: text.length, kind };
});

/** For hosts that are killed: everything that a host may leave undone. */
df.app.orchestration('journey', function* (context) {
  const id = context.df.instanceId;
  const fan: string[] = yield context.df.Task.all(
    [0, 1, 2, 3].map((index) =>
      context.df.callActivity('noted', { key: `${id}/${index}`, ms: 20 + index * 40 }),
    ),
  );
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 400));
  const child: string = yield context.df.callSubOrchestrator('journeyChild', { key: `${id}/child` });
  const counter = new df.EntityId('Counter', id);
  const count: number = yield context.df.callEntity(counter, 'add', 1);
  const go: string = yield context.df.waitForExternalEvent('go');
  return { fan, child, count, go };
});
df.app.orchestration('journeyChild', function* (context) {
  const { key } = context.df.getInput() as { key: string };
  return yield context.df.callActivity('noted', { key, ms: 30 });
});

df.app.entity('Counter', (context) => {
  const state = context.df.getState(() => 0) as number;
  switch (context.df.operationName) {
    case 'add': {
      const sum = state + (context.df.getInput() as number);
      context.df.setState(sum);
      context.df.return(sum);
      return;
    }
    case 'get':
      context.df.return(state);
      return;
    case 'delete':
      context.df.destructOnExit();
  }
});

/** So many activities, one after the other: a turn each. */
df.app.orchestration('steps', function* (context) {
  const count = context.df.getInput() as number;
  for (let step = 0; step < count; step += 1) yield context.df.callActivity('hello', String(step));
  return count;
});
