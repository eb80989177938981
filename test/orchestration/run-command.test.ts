import { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Activity } from '../../functions/activities/activity.ts';
import { look } from '../../functions/activities/look-at-command.ts';
import { removal } from '../../functions/activities/remove-command.ts';
import { follow } from '../../functions/orchestrators/run-command.ts';
import type { Services } from '../../functions/services.ts';
import { sweepCommands } from '../../functions/timers/sweep-commands.ts';
import { type MemoryRunCommands, memoryRunCommands } from '../../shared/machines/run/run-commands.memory.ts';
import { memoryRunLogs } from '../../shared/machines/run/run-logs.memory.ts';
import { batchOf, machineRunStore } from '../../shared/machines/run/run-store.ts';
import { MachineRun } from '../../shared/model/machine-run.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { type Asked, runOrchestration } from '../support/run-orchestration.ts';

const BEGAN = new Date('2026-11-25T10:00:00.000Z');
const BATCH = batchOf(BEGAN, '0123abcd');
const ID = `${BATCH}.box`;

let clock: { now: Date };
let commands: MemoryRunCommands;
let services: Services;
beforeEach(async () => {
  clock = { now: BEGAN };
  commands = memoryRunCommands();
  commands.addVm('vm');
  const machineRuns = machineRunStore(memoryTables());
  services = {
    runCommands: commands,
    runLogs: memoryRunLogs(),
    machineRuns,
    now: () => clock.now,
  } as Partial<Services> as Services;
  await machineRuns.add(
    MachineRun.parse({
      id: ID,
      batch: BATCH,
      machine: 'box',
      vm: 'vm',
      command: 'berth-1',
      os: 'linux',
      what: 'uptime',
      by: 'me',
      createdAt: BEGAN.toISOString(),
      timeout: 3600,
      status: { state: 'running', since: BEGAN.toISOString() },
      removed: false,
    }),
  );
  await begin();
});

const begin = () =>
  commands.begin('vm', 'berth-1', {
    script: 'uptime',
    parameters: [],
    protectedParameters: [],
    timeout: 3600,
    stdoutUrl: '',
    stderrUrl: '',
  });
const run = (meanwhile: (asked: readonly Asked[]) => void | Promise<void> = () => {}) =>
  runOrchestration(
    follow,
    { run: ID },
    {
      instanceId: `command-${ID}`,
      activities: [look, removal] as unknown as Activity<never, unknown>[],
      services,
      clock,
      meanwhile,
    },
  );
const row = () => services.machineRuns.get(ID);
const since = () => (clock.now.getTime() - BEGAN.getTime()) / 1000;

describe('following a run', () => {
  it('ends with it, and removes its run command', async () => {
    const { asked } = await run(() => {
      if (since() > 5) commands.change('vm', 'berth-1', { state: 'Failed', exitCode: 3 });
    });
    expect(await row()).toMatchObject({ status: { state: 'failed', exitCode: 3 }, removed: true });
    expect(commands.names('vm')).toEqual([]);
    expect(await services.machineRuns.open()).toEqual([]);
    expect(asked.at(-1)?.name).toBe('remove-command');
  });

  it('looks seldom at what takes long, and is never far behind its end', async () => {
    const { asked } = await run(() => {
      if (since() > 3000) commands.change('vm', 'berth-1', { state: 'Succeeded', exitCode: 0 });
    });
    expect(asked.filter(({ name }) => name === 'look-at-command').length).toBeLessThan(140);
    const { status } = (await row())!;
    expect(status.state).toBe('succeeded');
    expect(since()).toBeLessThan(3000 + 62);
  });

  it('what nobody ends is over ten minutes after its time', async () => {
    await run();
    expect(await row()).toMatchObject({ status: { state: 'timed-out' }, removed: true });
    expect(since()).toBeGreaterThan(4200);
    expect(since()).toBeLessThan(4300);
  });

  it('ARM takes its time to remove it', async () => {
    const { remove } = commands;
    let asked = 0;
    commands.remove = async (...given) => {
      asked += 1;
      if (asked === 4) await remove(...given);
    };
    commands.change('vm', 'berth-1', { state: 'Succeeded', exitCode: 0 });
    await run();
    expect(asked).toBe(4);
    expect((await row())?.removed).toBe(true);
  });
});

describe('the sweep', () => {
  const started: string[] = [];
  let going: boolean;
  beforeEach(() => {
    started.length = 0;
    going = false;
  });
  const client = {
    getStatus: async () => {
      if (going) return { runtimeStatus: 'Running' };
      throw new Error('DurableClient error: Durable Functions extension replied with HTTP 404 response.');
    },
    startNew: async (_name: string, { instanceId }: { instanceId: string }) => void started.push(instanceId),
  } as unknown as DurableClient;
  const sweep = async (seconds: number) => {
    clock.now = new Date(BEGAN.getTime() + seconds * 1000);
    const context = new InvocationContext();
    context.log = () => {};
    await sweepCommands(services, client, context);
  };

  it('finds what nobody follows, also what has ended and was not removed', async () => {
    await sweep(30);
    expect(started).toEqual([]);
    await sweep(90);
    expect(started).toEqual([`command-${ID}`]);
    going = true;
    await sweep(150);
    expect(started).toHaveLength(1);
    going = false;
    commands.change('vm', 'berth-1', { state: 'Succeeded', exitCode: 0 });
    await look.run({ run: ID, overdue: false }, services, new InvocationContext());
    expect((await row())?.status.state).toBe('succeeded');
    await sweep(210);
    expect(started).toHaveLength(2);
    await run();
    await sweep(300);
    expect([started.length, commands.names('vm')]).toEqual([2, []]);
  });
});
