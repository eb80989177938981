import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStorage, type TestStorage } from '../../support/storage.ts';
import { startTestHost, type TestHost } from './start-host.ts';

let storage: TestStorage;
let host: TestHost;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'host-'));
  await writeFile(join(directory, 'notes'), '');
  storage = await startTestStorage();
  host = await startTestHost(storage, { TEST_HUB: 'Orchestrations', TEST_NOTES: join(directory, 'notes') });
});
afterAll(async () => {
  await host?.stop();
  await storage?.stop();
  await rm(directory, { recursive: true });
});

const run = async (name: string, input?: unknown) =>
  await host.finished(await host.client('startNew', name, input === undefined ? {} : { input }));

describe('orchestrations', () => {
  it('run activities one after the other', async () => {
    expect(await run('chain', { who: 'World' })).toMatchObject({
      runtimeStatus: 'Completed',
      output: ['Hello World', 'Hello 123'],
      customStatus: { step: 1 },
      input: { who: 'World' },
    });
  });

  it('pass every kind of value to activities', async () => {
    const { output } = await run('kinds');
    expect(output).toEqual(['string', 'number', 'string', 'undefined', 'object', 'object']);
  });

  it('fan out further than one transaction reaches', async () => {
    const { output } = await run('fan', 150);
    expect(output).toEqual(Array.from({ length: 150 }, (_, index) => index));
  });

  it('retry activities, and go on after the last failure', async () => {
    expect((await run('retry')).output).toEqual({ good: 3, failed: true, after: 'Hello after' });
  });

  it('wait for durable timers', async () => {
    expect((await run('timer')).output).toBe(true);
  });

  it('take events, and let a cancelled timer go', async () => {
    const id = await host.client('startNew', 'approval');
    await host.client('raiseEvent', id, 'Approved', { name: 'A' });
    expect((await host.finished(id)).output).toEqual({ by: { name: 'A' } });
  });

  it('call others, and see their failures', async () => {
    const { output } = await run('parent');
    expect(output.child).toEqual(['Hello child', 'Hello 123']);
    expect(output.error).toContain('the orchestrator broke');
  });

  it('continue as new and keep the events that come meanwhile', async () => {
    const id = await host.client('startNew', 'eternal', { input: { round: 0 } });
    await Promise.all([1, 2, 3].map((item) => host.client('raiseEvent', id, 'item', item)));
    await host.client('raiseEvent', id, 'item', 'stop');
    expect((await host.finished(id)).output).toBe(3);
  });

  it('signal, call and lock entities', async () => {
    const id = await host.client('startNew', 'counting');
    expect((await host.finished(id)).output).toEqual({ sum: 12, locked: 13, after: 'Hello unlocked' });
    const state = await host.client('readEntityState', { entity: ['Counter', id] });
    expect(state).toMatchObject({ entityExists: true, entityState: 13 });
  });

  it('carry texts longer than a row', async () => {
    expect((await run('long')).output).toEqual({ length: 300_000, kind: 'string' });
  });

  it('fail with what the orchestrator threw', async () => {
    const { runtimeStatus, output } = await run('failing');
    expect(runtimeStatus).toBe('Failed');
    expect(output).toContain('the orchestrator broke');
  });
});

describe('the durable client', () => {
  it('refuses unknown orchestrators, bad ids and ids in use', async () => {
    await expect(host.client('startNew', 'unknown')).rejects.toThrow('400');
    await expect(host.client('startNew', 'chain', { instanceId: '@x' })).rejects.toThrow('400');
    await host.client('startNew', 'approval', { instanceId: 'used' });
    await expect(host.client('startNew', 'approval', { instanceId: 'used' })).rejects.toThrow('409');
    await host.client('terminate', 'used', 'enough');
    expect(await host.finished('used')).toMatchObject({ runtimeStatus: 'Terminated', output: 'enough' });
    await host.client('startNew', 'chain', { instanceId: 'used', input: { who: 'again' } });
    expect((await host.finished('used')).output).toEqual(['Hello again', 'Hello 123']);
  });

  it('suspends and resumes', async () => {
    const id = await host.client('startNew', 'approval');
    await host.client('suspend', id, 'pause');
    await host.client('raiseEvent', id, 'Approved', 'B');
    expect((await host.client('getStatus', id)).runtimeStatus).toBe('Suspended');
    await host.client('resume', id, 'on');
    expect((await host.finished(id)).output).toEqual({ by: 'B' });
  });

  it('lists, purges one and purges by filter', async () => {
    const id = await host.client('startNew', 'chain', { input: { who: 'P' } });
    await host.finished(id);
    const all = await host.client('getStatusAll');
    expect(all.map((one: { instanceId: string }) => one.instanceId)).toContain(id);
    expect(await host.client('purgeInstanceHistory', id)).toEqual({ instancesDeleted: 1 });
    await expect(host.client('getStatus', id)).rejects.toThrow('404');
    const filter = { createdTimeFrom: { date: '2000-01-01' }, runtimeStatus: ['Completed', 'Failed'] };
    expect((await host.client('purgeInstanceHistoryBy', filter)).instancesDeleted).toBeGreaterThan(3);
  });

  it('does not answer others without the key', async () => {
    const answer = await fetch(`${host.origin}/runtime/webhooks/durabletask/instances/`);
    expect(answer.status).toBe(401);
  });
});
