import { beforeEach, describe, expect, it } from 'vitest';
import { beginRuns, type RunPlan, type RunPorts } from '../../../../shared/machines/run/begin-runs.ts';
import { cancelRun, expireRuns, removeCommand } from '../../../../shared/machines/run/end-run.ts';
import { lookAtRun } from '../../../../shared/machines/run/look-at-run.ts';
import { machinesFor, renderOrder, summary } from '../../../../shared/machines/run/plan-run.ts';
import {
  type MemoryRunCommands,
  memoryRunCommands,
} from '../../../../shared/machines/run/run-commands.memory.ts';
import { type MemoryRunLogs, memoryRunLogs } from '../../../../shared/machines/run/run-logs.memory.ts';
import { askedAt, batchOf, machineRunStore } from '../../../../shared/machines/run/run-store.ts';
import { Retryable, type Terminal } from '../../../../shared/model/errors.ts';
import { Machine } from '../../../../shared/model/machine.ts';
import { memoryTables } from '../../../../shared/state/tables.memory.ts';

const machine = (name: string, over: object = {}): Machine =>
  Machine.parse({
    name,
    pool: 'by-hand',
    size: 'Standard_B2s',
    image: 'Debian:debian-13:13-gen2:latest',
    resources: { vm: `${name}-vm`, nic: 'n', disk: 'd' },
    vmId: `/subscriptions/s/virtualMachines/${name}`,
    cpu: 2,
    memory: 4096,
    status: { state: 'ready', since: '2026-01-01T00:00:00.000Z' },
    owner: 'o',
    ...over,
  });
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return `${(error as Terminal).code}: ${(error as Terminal).remedy}`;
  }
  return 'nothing';
};

describe('which machines are meant', () => {
  const all = [
    machine('web-1', { pool: 'web', labels: { disk: 'fast' } }),
    machine('web-2', { pool: 'web' }),
    machine('box', { status: { state: 'stopped', since: '2026-01-01T00:00:00.000Z' } }),
  ];
  const names = (selection: Parameters<typeof machinesFor>[0]) =>
    machinesFor(selection, all).map(({ name }) => name);

  it('names, each once; a pool; labels', () => {
    expect(names({ machines: ['web-2', 'web-1', 'web-2'] })).toEqual(['web-2', 'web-1']);
    expect(names({ pool: 'web' })).toEqual(['web-1', 'web-2']);
    expect(names({ pool: 'web', labels: { disk: 'fast' } })).toEqual(['web-1']);
  });

  it('refuses what is not there, and what does not run', () => {
    expect(codeOf(() => names({ machines: ['web1'] }))).toBe('machine-not-found: Did you mean web-1?');
    expect(codeOf(() => names({ machines: ['box'] }))).toBe(
      'machine-not-running: Start it: berth machine start box',
    );
    expect(codeOf(() => names({ labels: { disk: 'slow' } }))).toContain('no-machine-selected');
  });

  it('what lists show holds nothing protected', () => {
    const order = { parameters: {}, protectedParameters: { p: 'swordfish' } };
    expect(summary({ ...order, command: ['a', 'b'] })).toBe('a b');
    expect(summary({ ...order, script: 'x\ny', name: 'y.sh' })).toBe('y.sh (2 lines)');
    expect(
      summary({ ...order, customScript: { protectedSettings: { commandToExecute: 'swordfish' } } }),
    ).toBe('CustomScript');
    expect(codeOf(() => renderOrder({ ...order, customScript: {} }, 'linux', (url) => url))).toContain(
      'run-invalid',
    );
  });
});

describe('a run', () => {
  let commands: MemoryRunCommands;
  let logs: MemoryRunLogs;
  let ports: RunPorts;
  let now: Date;
  const BATCH = batchOf(new Date('2026-11-25T10:00:00.000Z'), '0123abcd');
  const ID = `${BATCH}.box`;
  const plan = (over: Partial<RunPlan> = {}): RunPlan => ({
    batch: BATCH,
    by: 'somebody',
    what: 'uptime',
    timeout: 60,
    user: undefined,
    on: [
      {
        machine: machine('box'),
        os: 'linux',
        rendered: {
          script: 'uptime',
          parameters: [],
          protectedParameters: [{ name: 'p', value: 'swordfish' }],
        },
      },
    ],
    ...over,
  });
  beforeEach(() => {
    now = new Date('2026-11-25T10:00:00.000Z');
    commands = memoryRunCommands();
    commands.addVm('box-vm');
    logs = memoryRunLogs();
    ports = {
      runCommands: commands,
      runLogs: logs,
      machineRuns: machineRunStore(memoryTables()),
      now: () => now,
    };
  });
  const begin = async () => {
    const [run] = await beginRuns(ports, plan());
    return run!;
  };
  const end = async () => {
    await lookAtRun(ports, ID);
    return (await ports.machineRuns.get(ID))?.status;
  };

  it('is recorded before ARM is asked, with the name that it has there, and nothing protected', async () => {
    const seen: unknown[] = [];
    const begun = commands.begin;
    commands.begin = async (vm, name, command) => {
      seen.push(await ports.machineRuns.get(ID), await ports.machineRuns.open());
      return begun(vm, name, command);
    };
    const run = await begin();
    expect(seen).toEqual([
      expect.objectContaining({
        command: run.command,
        status: { state: 'starting', since: now.toISOString() },
      }),
      [ID],
    ]);
    expect(JSON.stringify([seen, run, await ports.machineRuns.get(ID)])).not.toContain('swordfish');
    expect(commands.asked('box-vm', run.command)).toMatchObject({
      timeout: 60,
      stdoutUrl: expect.stringContaining(`${ID}/stdout`),
      protectedParameters: [{ name: 'p', value: 'swordfish' }],
    });
    expect(run.status.state).toBe('running');
    expect(askedAt(run.id)).toEqual(now);
  });

  it.each([
    [
      { state: 'Succeeded' as const, exitCode: 0 },
      { state: 'succeeded', exitCode: 0 },
    ],
    [
      { state: 'Failed' as const, exitCode: 3 },
      { state: 'failed', exitCode: 3 },
    ],
    [
      { state: 'Failed' as const, exitCode: -1, message: 'why' },
      { state: 'failed', reason: 'why' },
    ],
    [{ state: 'TimedOut' as const, exitCode: -1 }, { state: 'timed-out' }],
    [
      { state: 'Unknown' as const, provisioning: 'Failed', message: 'no agent' },
      { state: 'failed', reason: 'no agent' },
    ],
  ])('%o becomes %o, and its logs are closed', async (view, status) => {
    const run = await begin();
    logs.append(`${ID}/stdout`, 'x');
    commands.change('box-vm', run.command, view);
    expect(await end()).toMatchObject(status);
    expect(() => logs.append(`${ID}/stdout`, 'more')).toThrow();
    commands.change('box-vm', run.command, { state: 'Running' });
    expect(await end()).toMatchObject(status);
  });

  it('leaves nothing in ARM, and is no longer open then', async () => {
    const run = await begin();
    commands.change('box-vm', run.command, { state: 'Succeeded', exitCode: 0 });
    await lookAtRun(ports, ID);
    expect(await removeCommand(ports, ID)).toBe(true);
    expect(commands.names('box-vm')).toEqual([]);
    expect(await ports.machineRuns.open()).toEqual([]);
    expect((await ports.machineRuns.get(ID))?.removed).toBe(true);
  });

  it('canceled: its command is removed, and it says by whom', async () => {
    const run = await begin();
    await cancelRun(ports, ID, 'me');
    expect(commands.names('box-vm')).not.toContain(run.command);
    expect(await end()).toMatchObject({ state: 'canceled', by: 'me' });
  });

  it('its machine was removed', async () => {
    await begin();
    commands.removeVm('box-vm');
    expect(await end()).toMatchObject({ state: 'failed', reason: expect.stringContaining('removed') });
  });

  it('what ARM refuses is a failed run, with its words', async () => {
    commands.removeVm('box-vm');
    expect((await begin()).status).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('ResourceNotFound'),
    });
  });

  it('ARM is too busy at first', async () => {
    const begun = commands.begin;
    let asked = 0;
    commands.begin = async (...given) => {
      asked += 1;
      if (asked < 3) throw new Retryable({ code: 'arm-busy', message: 'wait', remedy: '', afterMs: 1 });
      return begun(...given);
    };
    expect((await begin()).status.state).toBe('running');
  });

  it('whose request was perhaps accepted is never asked for again: what ARM has decides', async () => {
    const begun = commands.begin;
    commands.begin = async (...given) => {
      await begun(...given);
      throw new Retryable({ code: 'arm-unavailable', message: 'reply lost', remedy: '' });
    };
    const run = await begin();
    expect(run.status.state).toBe('starting');
    expect(await end()).toMatchObject({ state: 'running' });
    commands.change('box-vm', run.command, { state: 'Succeeded', exitCode: 0 });
    expect(await end()).toMatchObject({ state: 'succeeded' });
  });

  it('whose request never came there is failed after a while', async () => {
    commands.begin = async () => {
      throw new Retryable({ code: 'arm-unavailable', message: 'no connection', remedy: '' });
    };
    await begin();
    expect(await end()).toMatchObject({ state: 'starting' });
    now = new Date(now.getTime() + 121_000);
    expect(await end()).toMatchObject({ state: 'failed', reason: expect.stringContaining('never asked') });
  });

  it('of which nothing is heard ends too', async () => {
    await begin();
    await lookAtRun(ports, ID, true);
    expect((await ports.machineRuns.get(ID))?.status).toMatchObject({ state: 'timed-out' });
  });

  it('is forgotten after 30 days, with its output', async () => {
    const run = await begin();
    logs.append(`${ID}/stdout`, 'x');
    commands.change('box-vm', run.command, { state: 'Succeeded', exitCode: 0 });
    await lookAtRun(ports, ID);
    now = new Date(now.getTime() + 29 * 86_400_000);
    await expireRuns(ports);
    expect(logs.names()).toHaveLength(1);
    now = new Date(now.getTime() + 2 * 86_400_000);
    await expireRuns(ports);
    expect([logs.names(), await ports.machineRuns.get(ID)]).toEqual([[], undefined]);
  });
});
