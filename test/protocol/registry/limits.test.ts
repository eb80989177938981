import { expect, test } from 'vitest';
import { limits, type Rates } from '../../../shared/auth/rate-limit/limits.ts';
import { ORIGIN } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';
import { registryStorages } from '../../support/registry-storage.ts';

/** A registry that lets each through three times and then once in ten seconds, by a clock of the test's own. */
async function registry(of: keyof Rates) {
  let now = new Date('2026-11-25T12:00:00Z').getTime();
  const clock = () => new Date(now);
  const none = { principal: undefined, address: undefined, failedLogins: undefined };
  const { handle, reports } = await testRegistry(await registryStorages.memory(), {
    now: clock,
    limits: limits({ ...none, [of]: { perSecond: 0.1, burst: 3 } }, clock),
  });
  const ask = async (path: string, headers: Record<string, string> = {}, address = '10.0.0.1:1234') => {
    const forwarded = { 'x-forwarded-for': `6.6.6.6, ${address}` };
    const answer = await handle(new Request(`${ORIGIN}${path}`, { headers: { ...forwarded, ...headers } }));
    return {
      status: answer.status,
      retryAfter: answer.headers.get('retry-after'),
      body: await answer.json(),
    };
  };
  const pass = (seconds: number) => {
    now += seconds * 1000;
  };
  return { ask, pass, reports };
}
const basic = (key: string) => ({ authorization: `Basic ${btoa(`x:${key}`)}` });
const statuses = async (times: number, ask: () => Promise<{ status: number }>): Promise<number[]> => {
  const found: number[] = [];
  for (let time = 0; time < times; time += 1) found.push((await ask()).status);
  return found;
};

test('a principal that asks too often gets 429 and is told when to come back; another does not', async () => {
  const { ask, pass, reports } = await registry('principal');
  const { token } = (await ask('/v2/token', basic('reader-key'))).body as { token: string };
  const base = () => ask('/v2/', { authorization: `Bearer ${token}` });
  expect(await statuses(3, base)).toEqual([200, 200, 429]);
  const refused = await base();
  expect(refused).toMatchObject({ retryAfter: '10', body: { errors: [{ code: 'TOOMANYREQUESTS' }] } });
  expect(await statuses(1, () => ask('/v2/token', basic('reader-key')))).toEqual([429]);
  expect(await statuses(1, () => ask('/v2/token', basic('deployer-key')))).toEqual([200]);
  pass(10);
  expect(await statuses(2, base)).toEqual([200, 429]);
  expect(reports).toEqual([]);
});

test('an address without a credential gets 429, whatever port it comes from; another address does not', async () => {
  const { ask } = await registry('address');
  let port = 1000;
  const base = () => {
    port += 1;
    return ask('/v2/', { authorization: 'Bearer wrong' }, `10.0.0.1:${port}`);
  };
  expect(await statuses(4, base)).toEqual([401, 401, 401, 429]);
  expect(await statuses(1, () => ask('/v2/'))).toEqual([429]);
  expect(await statuses(1, () => ask('/v2/token?scope=repository:a:pull'))).toEqual([429]);
  expect(await statuses(1, () => ask('/v2/', {}, '10.0.0.2:1'))).toEqual([401]);
  expect(await statuses(4, () => ask('/v2/token', basic('reader-key')))).toEqual([200, 200, 200, 200]);
});

test('an address whose keys are wrong too often is not asked for more of them', async () => {
  const { ask, pass } = await registry('failedLogins');
  expect(await statuses(4, () => ask('/v2/token', basic('wrong')))).toEqual([401, 401, 401, 429]);
  expect(await statuses(1, () => ask('/v2/token', basic('reader-key')))).toEqual([429]);
  pass(10);
  expect(await statuses(2, () => ask('/v2/token', basic('reader-key')))).toEqual([200, 200]);
});
