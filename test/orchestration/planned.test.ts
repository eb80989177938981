import { expect, test } from 'vitest';
import { ApplicationSpec } from '../../shared/model/application.ts';
import { planBase } from '../../shared/workloads/plan-base.ts';
import { digestOf, hello, web, workloadWorld } from '../support/workload-world.ts';

type World = ReturnType<typeof workloadWorld>;

/** A command as `apply` makes it of a plan. */
async function planned(world: World, spec: ReturnType<typeof hello>, digest: string | null) {
  const application = ApplicationSpec.parse(spec);
  const base = await planBase(world.stores, web.environment, application);
  return world.command({ type: 'deploy', application, pins: { base, digests: { web: digest } } });
}

test('an answer that a crash interrupted goes on: what it has changed itself does not speak against the plan', async () => {
  const world = workloadWorld();
  await world.send(world.push('hello/web', '1', digestOf('1')));
  const command = await planned(world, hello(), digestOf('1'));
  await world.send(command);
  await world.happen(command);
  expect((await world.service())?.accepted).toMatchObject({ number: 1, digest: digestOf('1') });
  expect(await world.running()).toHaveLength(2);
});

test('of two plans that were made on one state the second is refused', async () => {
  const world = workloadWorld();
  await world.send(world.push('hello/web', '1', digestOf('1')));
  const [first, second] = [
    await planned(world, hello(), digestOf('1')),
    await planned(world, hello({ replicas: 3 }), digestOf('1')),
  ];
  await world.happen(first);
  await expect(world.send(second)).rejects.toMatchObject({ code: 'plan-stale', status: 409 });
  expect((await world.service())?.spec.replicas).toBe(2);
});

test('the digest of the plan is deployed until the tag is pushed again', async () => {
  const world = workloadWorld();
  await world.send(world.push('hello/web', '1', digestOf('1')));
  const command = await planned(world, hello(), digestOf('1'));
  await world.send(world.push('hello/web', '1', digestOf('2')));
  await world.happen(command);
  expect((await world.service())?.accepted?.digest).toBe(digestOf('1'));
  await world.happen(world.push('hello/web', '1', digestOf('3')));
  expect((await world.service())?.accepted?.digest).toBe(digestOf('3'));
});
