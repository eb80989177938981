import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CloudEvent } from '../../../shared/model/cloud-event.ts';
import type { Digest } from '../../../shared/model/image.ts';
import { ServiceKey, serviceId } from '../../../shared/model/service.ts';
import { eventTypes } from '../../../shared/workloads/answer.ts';
import type { ImageTrust } from '../../../shared/workloads/image-trust.ts';
import { all, placeOf } from '../../../shared/workloads/stores.ts';
import { answeringWorld, digestOf } from './answering.ts';

const key = ServiceKey.parse({ environment: 'dev', application: 'hello', service: 'web' });
const [a, b, signatureOfA, signatureOfB] = ['a', 'b', 'c', 'd'].map(digestOf) as [
  Digest,
  Digest,
  Digest,
  Digest,
];
const subjects = new Map([
  [signatureOfA, a],
  [signatureOfB, b],
]);
const hello = (image = 'hello/web:1') => ({ name: 'hello', services: { web: { image, replicas: 1 } } });
const reasons = ['It is not signed by the key 1234.'];

/** A registry whose policies ask for a signature, until they no longer do. */
function world() {
  const signed = new Set<Digest>();
  const asked = { rules: 'first' };
  const trust: ImageTrust = {
    judge: async (_repository, digest) =>
      asked.rules === '' || signed.has(digest)
        ? { verdict: 'accepted', rules: asked.rules }
        : { verdict: 'refused', reasons, rules: asked.rules },
    rules: async () => asked.rules,
    subjectOf: async ({ subject }) => (asked.rules === '' ? undefined : subject),
  };
  const made = answeringWorld(trust);
  return {
    ...made,
    signed,
    asked,
    service: async () => (await made.stores.services.get(...placeOf.service(key)))?.value,
    revisions: () => all(made.stores.revisions.list({ partition: serviceId(key) })),
    /** What a client does that signs: the signature is in the registry before its event is. */
    sign(signature: Digest): CloudEvent {
      const subject = subjects.get(signature);
      if (subject !== undefined) signed.add(subject);
      return made.event(
        eventTypes.push,
        'registry/hello/web',
        { repository: 'hello/web', digest: signature, mediaType: 'x', subject },
        signature,
      );
    },
  };
}

describe('an image that policies refuse', () => {
  test('is not rolled out by its push, and says why; its signature rolls it out', async () => {
    const { send, deploy, push, sign, service, revisions } = world();
    await send(deploy(hello()));
    expect(await send(push('hello/web', '1', a))).toEqual([]);
    expect(await service()).toMatchObject({
      rollout: { state: 'waiting-for-image' },
      refused: { digest: a, reasons, cause: 'registry/hello/web 2' },
    });
    expect((await service())?.accepted).toBeUndefined();
    const signature = sign(signatureOfA);
    expect(await send(signature)).toHaveLength(1);
    expect(await service()).toMatchObject({ rollout: { state: 'rolling' }, accepted: { digest: a } });
    expect((await service())?.refused).toBeUndefined();
    await send(signature);
    expect(await revisions()).toHaveLength(1);
  });

  test('is not rolled out by a deployment either', async () => {
    const { send, deploy, push, sign, service } = world();
    await send(push('hello/web', '1', a));
    expect(await send(deploy(hello()))).toEqual([]);
    expect(await service()).toMatchObject({ refused: { digest: a, reasons } });
    expect(await send(sign(signatureOfA))).toHaveLength(1);
  });

  test('leaves what runs alone, and is forgotten when the tag goes back', async () => {
    const { send, deploy, push, sign, service, revisions } = world();
    await send(sign(signatureOfA));
    await send(push('hello/web', '1', a));
    await send(deploy(hello()));
    const before = await service();
    expect(await send(push('hello/web', '1', b))).toEqual([]);
    expect(await service()).toMatchObject({ ...before, refused: { digest: b } });
    expect(await send(push('hello/web', '1', a))).toEqual([]);
    expect((await service())?.refused).toBeUndefined();
    // Too late: the tag no longer means it.
    expect(await send(sign(signatureOfB))).toEqual([]);
    expect(await revisions()).toHaveLength(1);
  });

  test('may be named by its digest: its push, and its signature, roll it out too', async () => {
    const { send, deploy, push, sign, service, stores, command } = world();
    await send(deploy(hello(`hello/web@${a}`)));
    await send(push('hello/web', 'whatever', a));
    expect(await service()).toMatchObject({ refused: { digest: a } });
    expect(await send(sign(signatureOfA))).toHaveLength(1);
    await send(
      command({ type: 'deploy', application: { name: 'hello', services: {}, jobs: {}, pools: {} } }),
    );
    await stores.services.delete(...placeOf.service(key));
  });

  test('does not stop a restart or another number of replicas of what was accepted', async () => {
    const { send, deploy, push, sign, command, asked } = world();
    await send(sign(signatureOfA));
    await send(push('hello/web', '1', a));
    await send(deploy(hello()));
    asked.rules = 'others that nothing fulfils';
    const of = { application: 'hello', service: 'web' };
    expect(await send(command({ type: 'scale', ...of, replicas: 3 }))).toHaveLength(1);
    expect(await send(command({ type: 'restart', ...of }))).toHaveLength(1);
  });

  test('is rolled out when the policies change', async () => {
    const { send, deploy, push, event, asked, service } = world();
    await send(push('hello/web', '1', a));
    await send(deploy(hello()));
    asked.rules = 'second';
    const changed = () =>
      event(eventTypes.trustChanged, 'sweep/dev.hello.web', { repository: 'hello/web', digest: a });
    expect(await send(changed())).toEqual([]);
    expect(await service()).toMatchObject({ refused: { rules: 'second' } });
    asked.rules = '';
    expect(await send(changed())).toHaveLength(1);
  });

  test('is not run by a job', async () => {
    const { send, deploy, push, command, stores, sign } = world();
    await send(push('hello/web', '1', a));
    await send(deploy({ name: 'hello', jobs: { tidy: { image: 'hello/web:1' } } }));
    const run = () => send(command({ type: 'run-job', application: 'hello', job: 'tidy' }));
    expect(await run()).toEqual([]);
    expect((await all(stores.runs.list({}))).map(({ status }) => status)).toMatchObject([
      { state: 'failed', code: 'image-refused', reason: reasons[0] },
    ]);
    await send(sign(signatureOfA));
    expect(await run()).toHaveLength(1);
  });
});

test('a signature does not try an image again whose rollout failed', async () => {
  const { send, deploy, push, sign, stores } = world();
  await send(sign(signatureOfA));
  await send(push('hello/web', '1', a));
  await send(deploy(hello()));
  await stores.services.update(...placeOf.service(key), (row) =>
    row === undefined
      ? undefined
      : { ...row, rollout: { state: 'failed', at: '2026-11-25T13:00:00Z', code: 'x', reason: 'y' } },
  );
  subjects.set(digestOf('e'), a);
  expect(await send(sign(digestOf('e')))).toEqual([]);
});

test('pushes and signatures, in any order and answered together or again, end with the tag where it is signed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('push a', 'push b', 'sign a', 'sign b', 'deploy'), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
      fc.boolean(),
      async (actions, order, together) => {
        const { send, deploy, push, sign, signed, service, tags, revisions } = world();
        await send(deploy(hello()));
        const events = actions.map((action) => {
          switch (action) {
            case 'push a':
              return push('hello/web', '1', a);
            case 'push b':
              return push('hello/web', '1', b);
            case 'sign a':
              return sign(signatureOfA);
            case 'sign b':
              return sign(signatureOfB);
            default:
              return deploy(hello());
          }
        });
        const shuffled = events
          .map((event, index) => ({ event, at: order[index] ?? 0 }))
          .sort((one, other) => one.at - other.at)
          .map(({ event }) => event);
        if (together) await Promise.all([...shuffled, ...shuffled].map((event) => send(event)));
        else for (const event of [...shuffled, ...events]) await send(event);
        const current = tags.get('hello/web:1');
        const end = await service();
        if (current === undefined) expect(end?.accepted).toBeUndefined();
        else if (signed.has(current)) {
          expect(end).toMatchObject({ accepted: { digest: current } });
          expect(end?.refused).toBeUndefined();
        } else expect(end).toMatchObject({ refused: { digest: current } });
        for (const { digest } of await revisions()) expect(signed.has(digest)).toBe(true);
      },
    ),
  );
});
