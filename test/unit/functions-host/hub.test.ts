import { afterEach, describe, expect, it } from 'vitest';
import type { FunctionMetadata, InvocationResponse } from '../../../infra/local/functions-host/core/wire.ts';
import { raise, start, terminate } from '../../../infra/local/functions-host/durable/client.ts';
import { type Hub, openHub } from '../../../infra/local/functions-host/durable/hub.ts';
import { memoryLongTexts } from '../../../infra/local/functions-host/durable/long-text.memory.ts';
import { parseHostJson } from '../../../infra/local/functions-host/host-json.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import type { Tables } from '../../../shared/state/tables.ts';

/** Stands for an app: what its orchestrator wants, by its name, and its activity's result. */
interface App {
  readonly actions: Record<
    string,
    (answers: number, events: number) => { actions: unknown[]; output?: unknown }
  >;
  readonly activity?: (input: string) => Promise<unknown>;
}

const functions = (app: App): FunctionMetadata[] => [
  ...Object.keys(app.actions).map((name) => ({
    name,
    bindings: { trigger: { type: 'orchestrationTrigger' } },
  })),
  { name: 'work', bindings: { trigger: { type: 'activityTrigger' } } },
];

const opened: Hub[] = [];
afterEach(async () => {
  for (const hub of opened.splice(0)) await hub.close();
});

async function open(tables: Tables, app: App): Promise<Hub> {
  const hub = await openHub({
    tables,
    texts: memoryLongTexts(),
    functions: functions(app),
    configuration: parseHostJson('{"version":"2.0"}', {}).durableTask,
    log: { failure: () => undefined, app: () => undefined },
    async invoke(name, { inputs }): Promise<InvocationResponse> {
      const text = inputs[0]?.data.string ?? '';
      if (name === 'work') return { returnValue: { json: JSON.stringify(await app.activity?.(text)) } };
      const { history } = JSON.parse(text) as { history: { EventType: number }[] };
      const count = (type: number) => history.filter((event) => event.EventType === type).length;
      const { actions, output } = app.actions[name]!(count(5), count(15));
      const isDone = output !== undefined;
      return {
        returnValue: { json: JSON.stringify({ isDone, actions: [actions], output, schemaVersion: 3 }) },
      };
    },
  });
  opened.push(hub);
  return hub;
}

const work = (input: string) => ({ actionType: 0, functionName: 'work', input });
const go = { actionType: 6, externalEventName: 'go' };
const headOf = async (hub: Hub, id: string) => (await hub.instances.head(id))?.head;
async function ended(hub: Hub, id: string) {
  for (;;) {
    const head = await headOf(hub, id);
    if (head !== undefined && ['Completed', 'Failed', 'Terminated'].includes(head.status)) return head;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const begin = (hub: Hub, name: string, id: string) => start(hub, { name, id, version: '', input: null });

/** Counts the transactions of a table. */
function counting(tables: Tables) {
  let count = 0;
  const counted: Tables = {
    ...tables,
    commit(table, partition, writes) {
      if (partition !== 'host') count += 1;
      return tables.commit(table, partition, writes);
    },
  };
  return { tables: counted, count: () => count };
}

describe('a task hub', () => {
  it('spends one transaction on the start and one on each answer', async () => {
    const { tables, count } = counting(memoryTables());
    const hub = await open(tables, {
      actions: {
        two: (answers) => ({ actions: [work('a'), work('b')], ...(answers === 2 ? { output: 'done' } : {}) }),
      },
      activity: async (input) => input,
    });
    await begin(hub, 'two', 'x');
    expect(await ended(hub, 'x')).toMatchObject({ status: 'Completed', output: '"done"' });
    expect(count()).toBe(3);
  });

  it('keeps no obligation and no work after the end', async () => {
    const tables = memoryTables();
    const hub = await open(tables, {
      actions: {
        one: (answers) => ({ actions: [work('a')], ...(answers === 1 ? { output: 1 } : {}) }),
      },
      activity: async () => 1,
    });
    await begin(hub, 'one', 'x');
    await ended(hub, 'x');
    const rows: string[] = [];
    for await (const { row } of tables.list('TestHubNameState', { partition: 'x' }))
      rows.push(row.slice(0, 2));
    expect(rows).toEqual(['h!', 'h!', 'he']);
  });

  it('takes events at two hosts at once, each once', async () => {
    const tables = memoryTables();
    const app: App = {
      actions: {
        five: (_answers, events) => ({
          actions: [go, go, go, go, go, go],
          ...(events === 6 ? { output: events } : {}),
        }),
      },
    };
    const hosts = [await open(tables, app), await open(tables, app)] as const;
    await begin(hosts[0], 'five', 'x');
    const outcomes = await Promise.all([0, 1, 0, 1, 0, 1].map((host) => raise(hosts[host]!, 'x', 'go', '1')));
    expect(outcomes).toEqual(Array(6).fill('taken'));
    expect((await ended(hosts[0], 'x')).output).toBe('6');
  });

  it('says when an event finds nobody', async () => {
    const hub = await open(memoryTables(), { actions: { wait: () => ({ actions: [go] }) } });
    expect(await raise(hub, 'x', 'go', '1')).toBe('missing');
    await begin(hub, 'wait', 'x');
    expect(await terminate(hub, 'x', 'enough')).toBe('taken');
    expect(await raise(hub, 'x', 'go', '1')).toBe('finished');
  });

  it('starts an id anew only when its orchestration has finished', async () => {
    const hub = await open(memoryTables(), { actions: { wait: () => ({ actions: [go] }) } });
    await begin(hub, 'wait', 'x');
    const first = (await headOf(hub, 'x'))?.executionId;
    await expect(begin(hub, 'wait', 'x')).rejects.toThrow('running already');
    await terminate(hub, 'x', null);
    await begin(hub, 'wait', 'x');
    expect(await headOf(hub, 'x')).toMatchObject({ status: 'Running' });
    expect((await headOf(hub, 'x'))?.executionId).not.toBe(first);
  });

  it('hands what a host left undone to the next one', async () => {
    const tables = memoryTables();
    const actions: App['actions'] = {
      one: (answers) => ({ actions: [work('a')], ...(answers === 1 ? { output: 'rescued' } : {}) }),
    };
    const first = await open(tables, { actions, activity: () => new Promise(() => undefined) });
    await begin(first, 'one', 'x');
    // As after a kill: nobody renews the row any longer, and the process that wrote it is gone.
    for await (const { row, values } of tables.list('TestHubNameHosts', { partition: 'host' }))
      await tables.commit('TestHubNameHosts', 'host', [
        { kind: 'upsert', row, values: { ...values, pid: 2 ** 22 + 1 } },
      ]);
    opened.length = 0;
    const second = await open(tables, { actions, activity: async () => 'done' });
    expect((await ended(second, 'x')).output).toBe('"rescued"');
  });
});
