import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MachineName, PoolName } from '../../../shared/model/names.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';

const dev = '/api/v1/environments/dev';
const pool = PoolName.parse('default');

let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
beforeEach(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
});
afterEach(() => world.server.close());

const deploy = (pools: object) => ask('PUT', `${dev}/applications/shop`, { json: { name: 'shop', pools } });

describe('pools', () => {
  it('are listed with their machines, limits and cost, also those that nobody wrote down', async () => {
    await deploy({
      batch: { sizes: ['Standard_D2s_v5'], maximum: 5, minimum: 1, spares: 1, hourlyLimit: 1 },
    });
    expect((await ask('GET', '/api/v1/pools')).json).toEqual({
      pools: [
        {
          name: 'batch',
          spec: expect.objectContaining({ sizes: ['Standard_D2s_v5'], spares: 1 }),
          minimum: 1,
          maximum: 5,
          windows: 0,
          machines: { total: 0, byState: {}, used: 0 },
          hourly: 0,
          hourlyLimit: 1,
        },
        {
          name: 'default',
          minimum: 0,
          maximum: 3,
          windows: 0,
          machines: { total: 1, byState: { ready: 1 }, used: 0 },
          hourly: 0,
        },
      ],
    });
    expect((await ask('GET', '/api/v1/pools/batch')).json).toMatchObject({
      offerings: [{ size: 'Standard_D2s_v5', priority: 'regular', cpu: 2, hourly: 0.115 }],
      passed: [],
    });
    expect((await ask('GET', '/api/v1/pools/none')).status).toBe(404);
  });

  it('show why they rest and what Azure refuses, and forget it when they are reset', async () => {
    const { breakers, offers, machines } = world.server.services;
    await deploy({ default: { sizes: ['Standard_B2s'] } });
    const machine = MachineName.parse('m1');
    const reason = 'nothing was heard of it';
    await breakers.failed(pool, { machine, code: 'machine-not-registered', reason });
    const [record] = await machines.list();
    await offers.refused(record!, { kind: 'size' }, 'SkuNotAvailable: not now');
    const shown = await ask('GET', '/api/v1/pools/default');
    expect(shown.json).toMatchObject({
      breaker: { state: 'closed', failures: 1, machine, code: 'machine-not-registered', reason },
      resting: expect.stringMatching(/^it rests until .*; the last failure, of m1: machine-not-registered/),
      offerings: [],
      passed: [{ offering: 'Standard_B2s', reason: expect.stringContaining('SkuNotAvailable: not now') }],
    });
    expect((await ask('GET', '/api/v1/status')).json).toMatchObject({
      restingPools: [{ pool: 'default', reason: expect.stringContaining('it rests until') }],
    });
    const reset = await ask('POST', '/api/v1/pools/default/reset');
    expect(reset.json).not.toHaveProperty('resting');
    expect((await ask('GET', '/api/v1/pools/default')).json).toMatchObject({
      offerings: [{ size: 'Standard_B2s' }],
      passed: [],
    });
    expect((await ask('GET', '/api/v1/status')).json).toMatchObject({ restingPools: [] });
  });

  it('that could not be are refused with what was probably meant, and nothing is changed', async () => {
    const answer = await deploy({
      web: { sizes: ['Standard_B2x', 'Standard_D2s_v5'], hourlyLimit: 0.01 },
      batch: { sizes: ['Standard_B2s'], spot: 'only' },
    });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      code: 'pool-invalid',
      issues: [
        {
          path: 'pools.web.sizes.0',
          message: expect.stringMatching(
            /^westeurope offers no size Standard_B2x; the nearest are Standard_B2s/,
          ),
        },
        {
          path: 'pools.web.hourlyLimit',
          message: "the cheapest of the pool's sizes costs $0.115/h, more than the limit of $0.01/h",
        },
        { path: 'pools.batch.spot', message: "none of the pool's sizes is to be had as a spot machine" },
      ],
    });
    expect((await ask('GET', `${dev}/applications`)).json).toEqual({ applications: [] });
    const minimum = await deploy({ web: { minimum: 4, maximum: 2 } });
    expect(minimum.status).toBe(400);
    expect(JSON.stringify(minimum.json)).toContain('expected at most the maximum of 2, found 4');
  });
});
