import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { machineStore } from '../../../shared/machines/machine-store.ts';
import {
  type MemoryRunCommands,
  memoryRunCommands,
} from '../../../shared/machines/run/run-commands.memory.ts';
import { type MemoryRunLogs, memoryRunLogs } from '../../../shared/machines/run/run-logs.memory.ts';
import { machineRunStore } from '../../../shared/machines/run/run-store.ts';
import { Machine } from '../../../shared/model/machine.ts';
import type { MachineRun } from '../../../shared/model/machine-run.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { type ApiServer, startApiServer } from '../../support/api-server.ts';
import { makeAsk } from '../../support/ask.ts';

const RUNS = '/api/v1/machine-runs';

describe('runs over the API', () => {
  let server: ApiServer;
  let ask: ReturnType<typeof makeAsk>;
  let commands: MemoryRunCommands;
  let logs: MemoryRunLogs;
  beforeEach(async () => {
    commands = memoryRunCommands();
    logs = memoryRunLogs();
    const tables = memoryTables();
    const machines = machineStore(tables);
    for (const name of ['web-1', 'web-2']) {
      commands.addVm(`${name}-vm`);
      await machines.add(
        Machine.parse({
          name,
          pool: 'by-hand',
          labels: { tier: 'web' },
          size: 'Standard_B2s',
          image: 'Debian:debian-13:13-gen2:latest',
          resources: { vm: `${name}-vm`, nic: 'n', disk: 'd' },
          vmId: '/x',
          cpu: 2,
          memory: 4096,
          status: { state: 'ready', since: '2026-01-01T00:00:00.000Z' },
          owner: 'o',
        }),
      );
    }
    server = await startApiServer({
      machines,
      runCommands: commands,
      runLogs: logs,
      machineRuns: machineRunStore(tables),
      signBlob: (url) => url,
    });
    ask = makeAsk(server);
  });
  afterEach(() => server?.close());

  it('is answered when it comes again after an end of the app that left nothing but its key', async () => {
    const { machineRuns } = server.services;
    const { add } = machineRuns;
    machineRuns.add = async () => {
      throw new Error('the app ends here');
    };
    const order = { on: { machines: ['web-1'] }, command: ['uptime'] };
    expect((await start(order, { 'idempotency-key': 'two' })).status).toBe(500);
    machineRuns.add = add;
    const again = await start(order, { 'idempotency-key': 'two' });
    expect(again.body.runs).toMatchObject([{ machine: 'web-1', status: { state: 'running' } }]);
    expect((await start(order, { 'idempotency-key': 'two' })).body.runs).toHaveLength(1);
    expect(commands.names('web-1-vm')).toHaveLength(1);
  });

  const start = async (json: object, headers: Record<string, string> = {}) => {
    const { status, json: body } = await ask('POST', RUNS, { json, headers });
    return { status, body: body as { batch: string; runs: MachineRun[]; code?: string; issues?: object[] } };
  };

  it('runs on several machines at once, each once, also where the request comes twice', async () => {
    const order = { on: { labels: { tier: 'web' } }, command: ['uptime'] };
    const first = await start(order, { 'idempotency-key': 'one' });
    expect(first.status).toBe(202);
    expect(first.body.runs.map(({ machine, status }) => [machine, status.state])).toEqual([
      ['web-1', 'running'],
      ['web-2', 'running'],
    ]);
    const again = await start(order, { 'idempotency-key': 'one' });
    expect(again.body.batch).toBe(first.body.batch);
    expect(commands.names('web-1-vm')).toHaveLength(1);
    const list = (await ask('GET', `${RUNS}?machine=web-2`)).json as { runs: MachineRun[] };
    expect(list.runs.map(({ id }) => id)).toEqual([`${first.body.batch}.web-2`]);
    const both = (await ask('GET', `${RUNS}/${first.body.batch}`)).json as { runs: MachineRun[] };
    expect(both.runs).toHaveLength(2);
    expect((await ask('GET', `${RUNS}/${first.body.batch}/output`)).json).toMatchObject({
      code: 'run-ambiguous',
    });
  });

  it('the output is read as it grows, to its last byte after the end', async () => {
    const { body } = await start({ on: { machines: ['web-1'] }, script: 'x' });
    const run = body.runs[0]!;
    const read = async (stdout: number) => {
      const answer = await ask('GET', `${RUNS}/${run.id}/output?stdout=${stdout}`);
      const found = answer.json as {
        complete: boolean;
        stdout: { data: string; next: number };
        run: MachineRun;
      };
      return { ...found, text: Buffer.from(found.stdout.data, 'base64').toString() };
    };
    expect(await read(0)).toMatchObject({ text: '', complete: false });
    logs.append(`${run.id}/stdout`, 'begun\n');
    expect(await read(0)).toMatchObject({ text: 'begun\n', complete: false, stdout: { next: 6 } });
    logs.append(`${run.id}/stdout`, `${'x'.repeat(300_000)}`);
    commands.change('web-1-vm', run.command, { state: 'Failed', exitCode: 9 });
    let last = await read(6);
    // Looks at ARM are spaced.
    while (last.run.status.state === 'running') last = await read(6);
    expect(last).toMatchObject({ complete: false, run: { status: { exitCode: 9 } } });
    expect(last.text).toHaveLength(262_144);
    expect(await read(last.stdout.next)).toMatchObject({ complete: true });
  });

  it('is canceled', async () => {
    const { body } = await start({ on: { machines: ['web-1'] }, command: ['sleep', '60'] });
    const answer = await ask('DELETE', `${RUNS}/${body.batch}`);
    expect(answer.json).toMatchObject({ runs: [{ status: { state: 'canceled', by: 'admin' } }] });
    expect(commands.names('web-1-vm')).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['a machine that is not there', { on: { machines: ['web1'] }, command: ['x'] }, '404 machine-not-found'],
    ['no machine', { on: {}, command: ['x'] }, '400 request-invalid'],
    [
      'machines and a pool',
      { on: { machines: ['web-1'], pool: 'p' }, command: ['x'] },
      '400 request-invalid',
    ],
    ['a pool without machines', { on: { pool: 'none' }, command: ['x'] }, '404 no-machine-selected'],
    ['nothing to run', { on: { machines: ['web-1'] } }, '400 run-invalid'],
    [
      'a name that is none',
      { on: { machines: ['web-1'] }, script: 'x', parameters: { 'a-b': '' } },
      '400 run-invalid',
    ],
    ['too long', { on: { machines: ['web-1'] }, command: ['x'], timeout: 86_401 }, '400 request-invalid'],
    [
      'CustomScript that contradicts itself',
      { on: { machines: ['web-1'] }, customScript: { settings: { commandToExecute: 'a', script: 'YQ==' } } },
      '400 run-invalid',
    ],
    [
      'CustomScript with parameters',
      {
        on: { machines: ['web-1'] },
        customScript: { settings: { commandToExecute: 'a' } },
        parameters: { a: 'b' },
      },
      '400 run-invalid',
    ],
  ])('refuses %s, and runs nothing', async (_what, order, code) => {
    const { status, body } = await start(order);
    expect(`${status} ${body.code}`).toBe(code);
    expect([...commands.names('web-1-vm'), ...commands.names('web-2-vm')]).toEqual([]);
    expect((await ask('GET', RUNS)).json).toEqual({ runs: [] });
  });
});
