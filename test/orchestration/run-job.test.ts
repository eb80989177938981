import { describe, expect, test } from 'vitest';
import { memoryEngine } from '../../shared/docker/engine.memory.ts';
import { Machine } from '../../shared/model/machine.ts';
import { all } from '../../shared/workloads/stores.ts';
import { digestOf, hello, workloadWorld } from '../support/workload-world.ts';

const a = digestOf('a');
const IMAGE = 'registry.example:5000/hello/tidy@';

async function world(job: Record<string, unknown> = {}) {
  const made = workloadWorld();
  await made.send(made.push('hello/tidy', '1', a));
  const jobs = { tidy: { image: 'hello/tidy:1', ...job } };
  await made.send(made.deploy({ ...hello(), services: {}, jobs }));
  return {
    ...made,
    event: () => made.command({ type: 'run-job', application: 'hello', job: 'tidy' }),
    runs: () => all(made.stores.runs.list({})),
    /** A machine that is ready, whose engine behaves so. */
    async behave(behaviour: { exitCode: number; lines: string[] }) {
      await made.ports.capacity.reserve('default', {
        reservation: 'first',
        group: 'x',
        demand: { cpu: 0.1, memory: 64, port: false },
        avoid: [],
        owner: 'x',
      });
      let name = '';
      for await (const { row } of made.stores.tables.list('capacity', { from: 'm!', to: 'm"' }))
        name = row.slice(2);
      const created = memoryEngine(name, () => made.clock.now);
      created.control.behave(IMAGE, behaviour);
      made.engines.set(name, created);
      const machine = Machine.parse({
        name,
        pool: 'default',
        size: 'Standard_B2s',
        image: 'x',
        resources: { vm: 'x', nic: 'x', disk: 'x' },
        vmId: 'x',
        address: '10.20.0.9',
        cpu: 2,
        memory: 4096,
        status: { state: 'ready', since: made.clock.now.toISOString() },
        owner: 'x',
      });
      await made.stores.machines.upsert('default', name, machine);
      return created;
    },
  };
}

describe('run-job', () => {
  test('one that was stopped since its machine is drained says so, and counts as lost', async () => {
    const made = await world();
    const engine = await made.behave({ exitCode: 143, lines: [] });
    const [start] = await made.send(made.event());
    if (start === undefined) throw new Error('nothing was started');
    const since = made.clock.now.toISOString();
    const { output } = await made.carryOut(start, async () => {
      for (const machine of await all(made.stores.machines.list({})))
        await made.stores.machines.upsert('default', machine.name, {
          ...machine,
          cordon: { since, until: since, by: 'eviction', reason: 'Azure announced a Preempt', drain: true },
        });
    });
    expect(output).toEqual({ state: 'failed' });
    expect(await made.runs()).toMatchObject([
      {
        status: {
          code: 'run-lost',
          reason: expect.stringContaining('is drained: Azure announced a Preempt'),
        },
      },
    ]);
    expect(await engine.list([])).toEqual([]);
  });

  test('waits for another machine where one that was to come failed, and fails after the third', async () => {
    const made = await world();
    made.refuseMachines({ code: 'machine-not-registered', reason: 'it never reported' });
    const [run] = await made.happen(made.event());
    expect(run?.output).toEqual({ state: 'failed' });
    expect(made.provisioned).toHaveLength(3);
    expect(new Set(made.provisioned).size).toBe(3);
    expect(await made.runs()).toMatchObject([
      { status: { state: 'failed', code: 'machine-not-registered', reason: 'it never reported' } },
    ]);
    expect(await made.reservations()).toEqual([]);
  });

  test('runs to completion; its last lines stay, its container and room go', async () => {
    const made = await world();
    const engine = await made.behave({ exitCode: 0, lines: ['tidied', 'done'] });
    const [run] = await made.happen(made.event());
    expect(run?.output).toEqual({ state: 'succeeded' });
    expect(await made.runs()).toMatchObject([
      { attempt: 1, status: { state: 'succeeded', lastLines: ['tidied', 'done'] } },
    ]);
    expect(await engine.list([])).toEqual([]);
    expect(await made.reservations()).toEqual(['r!first']);
  });

  test('has a machine made where there is none, and ends what runs too long', async () => {
    const made = await world({ timeout: 0.05 });
    const [start] = await made.send(made.event());
    await made.carryOut(start!, () => made.pass(1_000));
    expect(made.provisioned).toHaveLength(1);
    expect(await made.runs()).toMatchObject([{ status: { state: 'failed', code: 'timed-out' } }]);
    expect(await made.running()).toEqual([]);
    expect(await made.reservations()).toEqual([]);
  });

  test('a failed attempt is repeated as often as the job says, then fails with exit code and lines', async () => {
    const made = await world({ retries: 2 });
    const engine = await made.behave({ exitCode: 4, lines: ['no'] });
    const [run] = await made.happen(made.event());
    expect(run?.output).toEqual({ state: 'failed' });
    expect(engine.control.created).toHaveLength(3);
    expect(await made.runs()).toMatchObject([
      { attempt: 3, status: { state: 'failed', code: 'container-exited', exitCode: 4, lastLines: ['no'] } },
    ]);
  });

  test('an image that the registry refuses fails the run at once', async () => {
    const made = await world({ retries: 5 });
    const engine = await made.behave({ exitCode: 0, lines: [] });
    engine.control.withhold(IMAGE);
    await made.happen(made.event());
    expect(await made.runs()).toMatchObject([{ status: { state: 'failed', code: 'image-not-found' } }]);
  });

  test('a run that has ended is not run again', async () => {
    const made = await world();
    await made.behave({ exitCode: 0, lines: [] });
    const event = made.event();
    const [start] = await made.send(event);
    await made.carryOut(start!);
    expect(await made.send(event)).toEqual([]);
    expect((await made.carryOut(start!)).output).toEqual({ state: 'superseded' });
    expect(await made.reservations()).toEqual(['r!first']);
  });
});
