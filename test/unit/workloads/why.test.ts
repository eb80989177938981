import { describe, expect, test } from 'vitest';
import { Machine } from '../../../shared/model/machine.ts';
import { PoolSpec } from '../../../shared/model/pool.ts';
import { Replica, Revision, Service } from '../../../shared/model/service.ts';
import type { Sight } from '../../../shared/scheduling/explain.ts';
import { MachineRoom, Reservation } from '../../../shared/scheduling/rows.ts';
import type { Home } from '../../../shared/workloads/volumes.ts';
import { whyService } from '../../../shared/workloads/why.ts';
import { plainOutlook } from '../../support/pools.ts';

const NOW = new Date('2026-11-30T12:00:00.000Z');
const at = NOW.toISOString();
const key = { environment: 'dev', application: 'shop', service: 'web' };

const machine = (name: string, change: Record<string, unknown> = {}) =>
  Machine.parse({
    name,
    pool: 'default',
    size: 'Standard_B2s',
    image: 'x',
    resources: { vm: 'x', nic: 'x', disk: 'x' },
    vmId: 'x',
    cpu: 2,
    memory: 4096,
    status: { state: 'ready', since: at },
    owner: 'o',
    ...change,
  });
const room = (name: string, change: Record<string, unknown> = {}) =>
  MachineRoom.parse({
    machine: name,
    cpu: 2,
    memory: 4096,
    freeCpu: 2,
    freeMemory: 4096,
    ports: [],
    nextPort: 20_000,
    groups: {},
    owner: 'o',
    addedAt: at,
    ...change,
  });

function sight(change: Partial<Sight> = {}, outlook: Partial<Sight['addition']> = {}): Sight {
  return {
    pool: 'default',
    rooms: [],
    machines: [],
    reservations: [],
    pools: new Map(),
    ...change,
    addition: {
      ...plainOutlook({ maximum: 2 }),
      newName: () => machine('default-new').name,
      now: at,
      ...outlook,
    },
  };
}

function why(
  spec: Record<string, unknown>,
  seen: Sight,
  row: Record<string, unknown> = {},
  replicas: unknown[] = [],
) {
  const full = { image: 'shop/web:1', ...spec };
  const revision = Revision.parse({
    key,
    number: 1,
    spec: full,
    digest: `sha256:${'a'.repeat(64)}`,
    cause: 'c',
    acceptedAt: at,
  });
  const service = Service.parse({ key, spec: full, specAt: at, rollout: { state: 'done', at }, ...row });
  return whyService({
    service,
    revision: service.rollout.state === 'waiting-for-image' ? undefined : revision,
    replicas: replicas.map((one) =>
      Replica.parse({ key, revision: 1, generation: 1, address: '10.0.0.1', ...(one as object) }),
    ),
    sight: seen,
    now: NOW,
  });
}
const first = (...given: Parameters<typeof why>) => why(...given).replicas[0]?.reasons[0];

describe('what has no room', () => {
  const full = sight({
    machines: [machine('a'), machine('b')],
    rooms: [room('a', { freeMemory: 1024 }), room('b', { freeMemory: 1536, freeCpu: 0.1 })],
  });

  test('how much more on which machine, and the maximum of its pool', () => {
    expect(first({ resources: { cpu: 0.5, memory: 1536 } }, full)).toEqual({
      code: 'no-room',
      message:
        'no machine has room for 0.5 cores and 1536 MiB: of 2: 1 too little free memory, 1 too few free cores; the pool has its maximum of 2 machines',
      wouldHelp: [
        '512 MiB more on one machine, for example a',
        'a larger maximum of pool default, which is 2',
      ],
    });
  });

  test('a label that another pool gives', () => {
    const pools = new Map([['batch', PoolSpec.parse({ labels: { disk: 'ssd' } })]]);
    expect(
      first(
        { placement: { constraints: ['label.disk == ssd'] } },
        sight({ machines: [machine('a')], pools }),
      ),
    ).toEqual({
      code: 'no-room',
      message:
        'no machine has room for 0.1 cores and 64 MiB: of 1: 1 not label.disk == ssd; a new machine of the pool would not be one with label.disk == ssd',
      wouldHelp: ['a machine with label.disk == ssd: pool batch has it'],
    });
  });

  test('who has the port', () => {
    const taken = sight({
      machines: [machine('a'), machine('b')],
      rooms: [room('a', { fixed: ['80/tcp'] }), room('b', { fixed: ['80/tcp'] })],
      reservations: ['a', 'b'].map((name) =>
        Reservation.parse({
          reservation: name,
          machine: name,
          group: 'dev.shop.proxy',
          cpu: 1,
          memory: 1,
          fixed: ['80/tcp'],
        }),
      ),
    });
    expect(first({ ports: [{ machine: 80 }] }, taken)?.wouldHelp).toEqual([
      'a machine whose port 80/tcp is free: dev.shop.proxy has it on 2',
      'a larger maximum of pool default, which is 2',
    ]);
  });

  test('the reason that Azure gave, while its pool rests', () => {
    const resting = () => 'it rests until 13:00 after 5 failures: SkuNotAvailable: no B2s';
    const found = why({}, sight({}, { resting }));
    expect(found.reasons[0]).toMatchObject({
      code: 'pool-rests',
      message:
        'Pool default gets no machines now: it rests until 13:00 after 5 failures: SkuNotAvailable: no B2s.',
    });
    expect(found.replicas[0]?.reasons[0]?.message).toContain('SkuNotAvailable');
  });

  test('what it is to be beside', () => {
    const full2 = sight({
      machines: [machine('a')],
      rooms: [room('a', { groups: { 'dev.shop.db': 1 }, freeCpu: 0 })],
    });
    expect(first({ placement: { affinity: ['db'] } }, full2)?.wouldHelp).toContain(
      'room beside dev.shop.db, which is on a',
    );
    expect(first({ placement: { affinity: ['db'] } }, sight())?.wouldHelp).toEqual([
      'a replica of dev.shop.db: it is on no machine of the pool',
    ]);
  });

  test('that its volume is on another machine, or nowhere any more', () => {
    const seen = sight({ machines: [machine('a')] });
    const service = Service.parse({ key, spec: { image: 'x' }, specAt: at, rollout: { state: 'done', at } });
    const revision = Revision.parse({
      key,
      number: 1,
      spec: { image: 'x' },
      digest: `sha256:${'a'.repeat(64)}`,
      cause: 'c',
      acceptedAt: at,
    });
    const reasonAt = (home: Home) =>
      whyService({ service, revision, replicas: [], sight: seen, homes: new Map([[0, home]]), now: NOW })
        .replicas[0]?.reasons[0];
    const there = { home: 'there', machine: machine('b').name, why: 'volume v is on machine b' } as const;
    expect(reasonAt(there)?.message).toContain('volume v is on machine b: no machine has room');
    expect(reasonAt({ home: 'nowhere', why: 'volume v is gone' })).toMatchObject({
      code: 'volume-elsewhere',
      message: 'volume v is gone.',
    });
  });

  test('what would do where no machine of the pool is large enough: not one more of them', () => {
    const seen = sight({ machines: [machine('a'), machine('b')], rooms: [room('a'), room('b')] });
    expect(first({ resources: { cpu: 1000, memory: 64 } }, seen)?.wouldHelp).toEqual([
      '998 cores more on one machine, for example a',
      'a larger size in pool default, or less cpu',
    ]);
  });

  test('a machine that may be added', () => {
    expect(first({}, sight())?.wouldHelp).toEqual(['a machine is added for it: Standard_B2s']);
  });
});

describe('what runs, or tried to', () => {
  const own = (name: string) =>
    Reservation.parse({
      reservation: 'dev.shop.web.r1.0.g1',
      machine: name,
      group: 'dev.shop.web',
      cpu: 0.1,
      memory: 64,
    });

  test('why it is where it is', () => {
    const seen = sight({
      machines: [machine('a'), machine('b'), machine('c')],
      rooms: [
        room('a', { freeCpu: 0.5, groups: { 'dev.shop.web': 1 } }),
        room('b'),
        room('c', { freeCpu: 0 }),
      ],
      reservations: [own('a')],
    });
    const [replica] = why({}, seen, {}, [
      { slot: 0, machine: 'a', status: { state: 'healthy', since: at } },
    ]).replicas;
    expect(replica?.reasons).toEqual([
      {
        code: 'placed',
        message:
          'It runs on a. Of 2 others 1 would not do: 1 too few free cores. Of 2 that would do it comes first: the fewest of its replicas, then the fullest.',
        wouldHelp: [],
      },
    ]);
  });

  test('what is to run on a machine that is on its way is not said to run there', () => {
    const seen = sight({
      machines: [machine('a', { status: { state: 'booting', since: at } })],
      reservations: [own('a')],
    });
    const [replica] = why({}, seen, {}, [{ slot: 0, machine: 'a', status: { state: 'reserved' } }]).replicas;
    expect(replica?.reasons.map(({ message }) => message)).toEqual([
      'It waits for machine a, which is on its way (booting).',
      'It is to run on a. It is the only machine of pool default.',
    ]);
  });

  test('a container that ends again and again, with what it said last', () => {
    const status = { state: 'exited', at, exitCode: 3, lastLines: ['no such host: db'] };
    const found = why({}, sight({ machines: [machine('a')] }), {}, [
      { slot: 0, machine: 'a', failures: 4, status },
    ]);
    expect(found.replicas[0]).toMatchObject({
      state: 'exited',
      reasons: [
        {
          code: 'crash-looping',
          message: `Its container ended with exit code 3 at ${at}, 4 times early one after another; the next try is at 2026-11-30T12:00:08.000Z.`,
          exitCode: 3,
          lastLines: ['no such host: db'],
        },
      ],
    });
  });

  test('a machine that is on its way, or failed with Azure’s words', () => {
    const status = { state: 'reserved' };
    const coming = [machine('a', { status: { state: 'booting', since: at } })];
    const seen = (machines: Machine[]) =>
      why({}, sight({ machines }), {}, [{ slot: 0, machine: 'a', status }]).replicas[0]?.reasons[0];
    expect(seen(coming)?.message).toBe('It waits for machine a, which is on its way (booting).');
    const failed = machine('a', {
      status: { state: 'failed', at, code: 'quota', reason: 'QuotaExceeded: 0 of 10 cores' },
    });
    expect(seen([failed])?.message).toBe(
      'Machine a, on which it was to be, failed: QuotaExceeded: 0 of 10 cores',
    );
  });
});

describe('the service as a whole', () => {
  test('an image that is not there, or that is refused', () => {
    const rollout = { state: 'waiting-for-image' };
    expect(why({}, sight(), { rollout })).toMatchObject({
      replicas: [],
      reasons: [{ code: 'image-not-pushed', wouldHelp: ['the push of shop/web:1: it rolls out by itself'] }],
    });
    const refused = {
      digest: `sha256:${'b'.repeat(64)}`,
      reasons: ['It is not signed.'],
      rules: 'r',
      cause: 'c',
      at,
    };
    expect(why({}, sight(), { rollout, refused }).reasons.map(({ code }) => code)).toEqual(['image-refused']);
  });

  test('a rollout that is paused, waits or failed', () => {
    const paused = { state: 'paused', at, why: 'asked', reason: 'somebody asked for it' };
    expect(why({}, sight(), { rollout: paused }).reasons[0]).toMatchObject({
      code: 'rollout-paused',
      wouldHelp: ['berth rollout resume shop/web'],
    });
    expect(
      why({}, sight(), { rollout: { state: 'rolling', waits: 'db is not healthy' } }).reasons[0]?.message,
    ).toBe('Its rollout waits: db is not healthy.');
    const failed = {
      state: 'failed',
      at,
      code: 'container-exited',
      reason: 'it ended',
      exitCode: 1,
      lastLines: ['boom'],
    };
    expect(why({}, sight(), { rollout: failed, revision: 2, healthyRevision: 1 }).reasons[0]).toMatchObject({
      message: 'The rollout of revision 2 failed: it ended. Revision 1, which was healthy, runs.',
      lastLines: ['boom'],
    });
  });

  test('none are wanted', () => {
    expect(why({ replicas: 0 }, sight()).reasons[0]?.code).toBe('scaled-to-zero');
    expect(why({ mode: 'one-per-machine' }, sight()).reasons[0]?.code).toBe('no-machines');
  });
});
