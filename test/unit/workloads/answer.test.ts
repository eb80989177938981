import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ServiceKey, serviceId } from '../../../shared/model/service.ts';
import { RollOut } from '../../../shared/workloads/roll-out.ts';
import { all, placeOf } from '../../../shared/workloads/stores.ts';
import { answeringWorld, digestOf } from './answering.ts';

const key = ServiceKey.parse({ environment: 'dev', application: 'hello', service: 'web' });
const [a, b] = [digestOf('a'), digestOf('b')];
const hello = (web: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  name: 'hello',
  services: { web: { image: 'hello/web:1', replicas: 2, port: 8080, ...web } },
  ...more,
});
const world = () => {
  const made = answeringWorld();
  return {
    ...made,
    service: async () => (await made.stores.services.get(...placeOf.service(key)))?.value,
    revisions: () => all(made.stores.revisions.list({ partition: serviceId(key) })),
    /** What a rollout records when it is done. */
    async done() {
      await made.stores.services.update(...placeOf.service(key), (row) => {
        if (row?.revision === undefined) return undefined;
        const { owner: _, ...rest } = row;
        return {
          ...rest,
          healthyRevision: row.revision,
          rollout: { state: 'done', at: '2026-11-25T13:00:00Z' },
        };
      });
    },
  };
};

describe('deploy', () => {
  test('waits for the image, and the push itself rolls it out', async () => {
    const { send, deploy, push, service, revisions } = world();
    expect(await send(deploy(hello()))).toEqual([]);
    expect((await service())?.rollout).toEqual({ state: 'waiting-for-image' });
    const event = push('hello/web', '1', a);
    const [start, ...more] = await send(event);
    expect(more).toEqual([]);
    expect(start?.orchestrator).toBe('roll-out');
    expect(start?.instanceId).toMatch(/^ev-[0-9a-f]{40}$/);
    expect(RollOut.parse(start?.input)).toMatchObject({ revision: { number: 1, digest: a }, proven: false });
    expect(await revisions()).toHaveLength(1);
    expect(await service()).toMatchObject({
      revision: 1,
      owner: start?.instanceId,
      rollout: { state: 'rolling' },
    });
  });

  test('rolls out at once if the image is there already', async () => {
    const { send, deploy, push } = world();
    await send(push('hello/web', '1', a));
    expect(await send(deploy(hello()))).toHaveLength(1);
  });

  test('of the same again changes nothing', async () => {
    const { send, deploy, push, revisions } = world();
    await send(push('hello/web', '1', a));
    await send(deploy(hello()));
    expect(await send(deploy(hello()))).toEqual([]);
    expect(await revisions()).toHaveLength(1);
  });

  test('that is older than the last one changes nothing', async () => {
    const { send, deploy, push, service, stores } = world();
    await send(push('hello/web', '1', a));
    const older = deploy(hello({ replicas: 5 }));
    await send(deploy(hello({ replicas: 3 })));
    expect(await send(older)).toEqual([]);
    expect((await service())?.spec.replicas).toBe(3);
    expect((await stores.applications.get('dev', 'hello'))?.value.services).toMatchObject({
      web: { replicas: 3 },
    });
  });

  test('takes what it no longer names to no replicas, with its rule and jobs', async () => {
    const { send, deploy, push, service, done, stores } = world();
    await send(push('hello/web', '1', a));
    await send(deploy(hello({}, { jobs: { tidy: { image: 'hello/web:1' } } })));
    await done();
    const [start] = await send(deploy({ name: 'hello' }));
    expect(RollOut.parse(start?.input)).toMatchObject({
      revision: { number: 2, spec: { replicas: 0 }, template: 1 },
    });
    expect((await service())?.removing).toBe(true);
    expect(await all(stores.jobs.list({}))).toEqual([]);
    expect(await send(push('hello/web', '1', b))).toEqual([]);
  });

  test('removes at once what never had an image', async () => {
    const { send, deploy, service, stores } = world();
    await send(deploy(hello()));
    expect(await send(deploy({ name: 'hello' }))).toEqual([]);
    expect(await service()).toBeUndefined();
    expect(await all(stores.rules.list({}))).toEqual([]);
  });

  test('with another image moves the rule', async () => {
    const { send, deploy, push } = world();
    await send(deploy(hello()));
    await send(deploy(hello({ image: 'hello/web:2' })));
    expect(await send(push('hello/web', '1', a))).toEqual([]);
    expect(await send(push('hello/web', '2', a))).toHaveLength(1);
  });
});

describe('the same event again', () => {
  test('gives the same start while it goes, and none after', async () => {
    const { send, deploy, push, done, revisions } = world();
    await send(deploy(hello()));
    const event = push('hello/web', '1', a);
    const first = await send(event);
    expect(await send(event)).toEqual(first);
    await done();
    expect(await send(event)).toEqual([]);
    expect(await revisions()).toHaveLength(1);
  });

  test('finishes what a crash left half done: the row was written, the revision not', async () => {
    const { send, deploy, push, stores, revisions } = world();
    await send(deploy(hello()));
    const event = push('hello/web', '1', a);
    const first = await send(event);
    await stores.revisions.delete(...placeOf.revision(key, 1));
    expect(await send(event)).toEqual(first);
    expect(await revisions()).toHaveLength(1);
  });

  test('A, B and A again are three events', async () => {
    const { send, deploy, push, revisions } = world();
    await send(deploy(hello()));
    for (const digest of [a, b, a]) await send(push('hello/web', '1', digest));
    expect((await revisions()).map(({ digest }) => digest)).toEqual([a, b, a]);
  });

  test('one that another overtakes while it is answered changes nothing', async () => {
    const { send, deploy, push, answering, service } = world();
    await send(deploy(hello()));
    const first = push('hello/web', '1', a);
    const { resolve } = answering.images;
    let overtaken = false;
    Object.assign(answering.images, {
      async resolve(reference: Parameters<typeof resolve>[0]) {
        const seen = await resolve(reference);
        if (!overtaken) {
          overtaken = true;
          await send(push('hello/web', '1', b));
        }
        return seen;
      },
    });
    expect(await send(first)).toEqual([]);
    expect((await service())?.accepted?.digest).toBe(b);
  });

  test('storms of pushes, shuffled and repeated, end with what the tag says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat()),
        async (letters, order) => {
          const { send, deploy, push, service, revisions } = world();
          await send(deploy(hello()));
          const events = letters.map((letter) => push('hello/web', '1', digestOf(letter)));
          const storm = [...events, ...events]
            .map((event) => ({ event, at: order.next().value }))
            .sort((x, y) => x.at - y.at);
          await Promise.all(storm.map(({ event }) => send(event)));
          const causes = (await revisions()).map(({ cause }) => cause);
          expect(new Set(causes).size).toBe(causes.length);
          expect((await service())?.accepted?.digest).toBe(digestOf(letters.at(-1) ?? ''));
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('scale and restart', () => {
  const deployed = async () => {
    const made = world();
    await made.send(made.push('hello/web', '1', a));
    await made.send(made.deploy(hello()));
    await made.done();
    return made;
  };
  const on = { application: 'hello', service: 'web' };

  test('scale keeps the containers that run', async () => {
    const { send, command } = await deployed();
    const [start] = await send(command({ type: 'scale', ...on, replicas: 4 }));
    expect(RollOut.parse(start?.input)).toMatchObject({
      revision: { number: 2, template: 1, spec: { replicas: 4 } },
      proven: true,
    });
  });

  test('restart makes new ones while the old serve', async () => {
    const { send, command } = await deployed();
    const [start] = await send(command({ type: 'restart', ...on }));
    const input = RollOut.parse(start?.input);
    expect(input).toMatchObject({ proven: false, serving: { revision: 1, count: 2 } });
    expect(input.revision).toMatchObject({ number: 2, digest: a });
    expect(input.revision.template).toBeUndefined();
  });

  test('of a service that does not exist is refused with a remedy', async () => {
    const { send, command } = world();
    await expect(send(command({ type: 'restart', ...on }))).rejects.toMatchObject({
      code: 'service-unknown',
    });
  });

  test('an unknown command is refused with what was expected', async () => {
    const { send, command } = world();
    await expect(send(command({ type: 'dance' }))).rejects.toMatchObject({ code: 'event-data-invalid' });
  });
});

describe('repair', () => {
  const died = (container: string) => ({ key, container, exitCode: 137 });

  test('a live rollout is left alone', async () => {
    const { send, push, deploy, event, live } = world();
    await send(push('hello/web', '1', a));
    const [start] = await send(deploy(hello()));
    live.add(start?.instanceId ?? '');
    expect(await send(event('dev.berth.sweep', 'sweep/x', { key }))).toEqual([]);
  });

  test('a container that has a row brings a rollout of what shall run; others bring nothing', async () => {
    const { send, push, deploy, event, done, stores } = world();
    await send(push('hello/web', '1', a));
    await send(deploy(hello()));
    await done();
    const replica = {
      key,
      revision: 1,
      slot: 0,
      generation: 1,
      machine: 'm',
      address: '10.0.0.1',
      containerId: 'c1',
      failures: 0,
      status: { state: 'healthy', since: '2026-11-25T12:00:00Z' },
    } as unknown as Parameters<typeof stores.replicas.insert>[2];
    await stores.replicas.insert(...placeOf.replica(replica), replica);
    expect(await send(event('dev.berth.replica.died', 'machines/m', died('other')))).toEqual([]);
    const again = event('dev.berth.replica.died', 'machines/m', died('c1'));
    const [start] = await send(again);
    expect(RollOut.parse(start?.input)).toMatchObject({ revision: { number: 1 }, proven: true });
    expect(await send(again)).toEqual([start]);
  });

  test('after a failed rollout it is the revision before that shall run', async () => {
    const { send, push, deploy, event, done, stores } = world();
    await send(push('hello/web', '1', a));
    await send(deploy(hello()));
    await done();
    await send(push('hello/web', '1', b));
    await stores.services.update(...placeOf.service(key), (row) =>
      row === undefined
        ? undefined
        : { ...row, rollout: { state: 'failed', at: '2026-11-25T13:00:00Z', code: 'x', reason: 'y' } },
    );
    const [start] = await send(event('dev.berth.sweep', 'sweep/x', { key }));
    expect(RollOut.parse(start?.input)).toMatchObject({ revision: { number: 1, digest: a }, proven: true });
  });
});

describe('jobs', () => {
  const jobs = { jobs: { tidy: { image: 'hello/web:1' } } };

  test('one event makes one run', async () => {
    const { send, push, deploy, command, stores } = world();
    await send(push('hello/web', '1', a));
    await send(deploy(hello({}, jobs)));
    const event = command({ type: 'run-job', application: 'hello', job: 'tidy' });
    const [start] = await send(event);
    expect(start).toMatchObject({ orchestrator: 'run-job', input: { run: { digest: a, attempt: 1 } } });
    expect(await send(event)).toEqual([start]);
    expect(await all(stores.runs.list({}))).toHaveLength(1);
  });

  test('without its image a run fails with the reference', async () => {
    const { send, deploy, command, stores } = world();
    await send(deploy(hello({}, jobs)));
    expect(await send(command({ type: 'run-job', application: 'hello', job: 'tidy' }))).toEqual([]);
    const [run] = await all(stores.runs.list({}));
    expect(run?.status).toMatchObject({ state: 'failed', code: 'image-not-found' });
  });
});
