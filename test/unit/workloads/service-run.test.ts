import { describe, expect, it } from 'vitest';
import { JobName } from '../../../shared/model/names.ts';
import { WATCHED_MS } from '../../../shared/workloads/answer-service-run.ts';
import { cancel } from '../../../shared/workloads/cancel-run.ts';
import { placeOf } from '../../../shared/workloads/stores.ts';
import { digestOf, hello, web, workloadWorld } from '../../support/workload-world.ts';

const key = { environment: web.environment, application: web.application, job: JobName.parse('web') };

/** A service that is out, and a command that was sent for it. */
async function world(more: Record<string, unknown> = {}) {
  const made = workloadWorld();
  await made.happen(made.deploy(hello({ environment: { COLOUR: 'blue' } })));
  await made.happen(made.push('hello/web', '1', digestOf('a')));
  const command = made.command({
    type: 'run-service',
    application: 'hello',
    service: 'web',
    command: ['migrate', '--now'],
    ...more,
  });
  const runOf = async (id: string) => (await made.stores.runs.get(...placeOf.run(key, id)))?.value;
  return { ...made, request: command, runOf };
}

describe('a command of a service', () => {
  it('runs once, in a container of its revision, which is removed', async () => {
    const made = await world({ variables: { LEVEL: '2' } });
    const [start] = await made.send(made.request);
    const engine = [...made.engines.values()][0]!;
    let asked = 0;
    await made.carryOut(start!, async () => {
      const container = (await engine.list(['berth.run'])).find(({ state }) => state.state === 'running');
      if (container === undefined) return;
      asked += 1;
      engine.control.exit(container.name, 4);
    });
    expect(asked).toBeGreaterThan(0);
    const request = engine.control.created.find(({ labels }) => labels['berth.run'] !== undefined);
    expect(request).toMatchObject({
      command: ['migrate', '--now'],
      image: expect.stringContaining(digestOf('a')),
      environment: { COLOUR: 'blue', LEVEL: '2' },
    });
    expect(await engine.list(['berth.run'])).toEqual([]);
    expect((await made.runOf(start!.instanceId))?.status).toMatchObject({ state: 'failed', exitCode: 4 });
    expect(await made.send(made.request)).toEqual([]);
  });

  it('ends when nobody watches it any more, also where it waits for room', async () => {
    const made = await world({ watched: true });
    const [start] = await made.send(made.request);
    const before = (await made.runOf(start!.instanceId))?.watchedUntil;
    expect(Date.parse(before!) - made.clock.now.getTime()).toBe(WATCHED_MS);
    await made.pass(WATCHED_MS + 1);
    await made.carryOut(start!);
    expect((await made.runOf(start!.instanceId))?.status).toMatchObject({
      state: 'failed',
      code: 'run-ended',
    });
  });

  it('is ended by its caller', async () => {
    const made = await world();
    const [start] = await made.send(made.request);
    let canceled = false;
    await made.carryOut(start!, async () => {
      const run = await made.runOf(start!.instanceId);
      if (canceled || run?.status.state !== 'running') return;
      canceled = true;
      await cancel(made.ports, run);
    });
    expect((await made.runOf(start!.instanceId))?.status).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('ended by its caller'),
    });
  });

  it('is refused where there is no revision', async () => {
    const made = workloadWorld();
    await expect(
      made.send(made.command({ type: 'run-service', application: 'a', service: 'b', command: ['x'] })),
    ).rejects.toMatchObject({ code: 'service-not-accepted' });
  });
});
