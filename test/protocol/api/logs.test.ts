import { HttpRequest, InvocationContext } from '@azure/functions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withProblems } from '../../../functions/http/endpoint.ts';
import { keepLogs } from '../../../functions/http/machine-logs.ts';
import type { Services } from '../../../functions/services.ts';
import { keptBy } from '../../../shared/logs/log-keeper.ts';
import { Machine } from '../../../shared/model/machine.ts';
import { ServiceKey } from '../../../shared/model/service.ts';
import { placeOf } from '../../../shared/workloads/stores.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';

const dev = '/api/v1/environments/dev';
const web = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'web' });
const labels = { 'berth.environment': 'dev', 'berth.service': 'dev.shop.web' };

let world: ApiWorld;
let first: string;
let second: string;
beforeAll(async () => {
  world = await startApiWorld();
  const application = { name: 'shop', services: { web: { image: 'shop/web:1', replicas: 2 } } };
  await world.push('shop/web:1');
  await ask('PUT', `${dev}/applications/shop`, { json: application });
  first = await world.replica(web, 0);
  second = await world.replica(web, 1);
});
afterAll(() => world?.server.close());

const ask: ReturnType<typeof makeAsk> = (...given) => makeAsk(world.server)(...given);
const textsOf = (answer: { text: string }) =>
  [...answer.text.matchAll(/"text":"([^"]*)"/g)].map((match) => match[1]);
const write = (id: string, ...texts: string[]) => {
  for (const text of texts) world.engine.control.write(id, text);
};

describe('logs of many replicas', () => {
  it('are one stream in the order of time, filtered, and of one replica', async () => {
    write(first, 'one');
    write(second, 'two');
    write(first, 'three Error');
    expect(textsOf(await ask('GET', `${dev}/logs?application=shop&service=web`))).toEqual([
      'one',
      'two',
      'three Error',
    ]);
    expect(textsOf(await ask('GET', `${dev}/logs?tail=2`))).toEqual(['two', 'three Error']);
    expect(textsOf(await ask('GET', `${dev}/logs?contains=error&ignoreCase=true`))).toEqual(['three Error']);
    expect(textsOf(await ask('GET', `${dev}/logs?application=shop&service=web&replica=1`))).toEqual(['two']);
    expect(textsOf(await ask('GET', `${dev}/logs?application=other`))).toEqual([]);
    const until = new Date(Date.now() - 3600_000).toISOString();
    expect(textsOf(await ask('GET', `${dev}/logs?until=${until}`))).toEqual([]);
  });

  it('are followed by who comes, go on after what was seen, and keep what is gone', async () => {
    const all = await ask('GET', `${dev}/logs?replica=0`);
    const times = [...all.text.matchAll(/"time":"([^"]*)"/g)].map((match) => match[1] ?? '');
    const cursor = `${first.slice(0, 12)}~${times[0]}~`;
    expect(textsOf(await ask('GET', `${dev}/logs?replica=0&cursor=${cursor}`))).toEqual(['three Error']);
    // Its container ends, what it wrote is kept, and it is removed with its row: as a step of a rollout does.
    const { engine, server } = world;
    await keptBy(server.services.logs)(engine, { id: first, name: 'dev.shop.web.r1.0.g1', labels }, 'm1');
    await engine.remove(first);
    await server.services.stores.replicas.delete(...placeOf.replica({ key: web, slot: 0, generation: 1 }));
    expect(textsOf(await ask('GET', `${dev}/logs?application=shop`))).toEqual(['one', 'two', 'three Error']);
    expect(textsOf(await ask('GET', `${dev}/services/shop/web/replicas/0.g1/logs`))).toEqual([
      'one',
      'three Error',
    ]);
    expect((await ask('GET', `${dev}/services/shop/web/replicas/0.g7/logs`)).status).toBe(404);
  });

  it('say which machine does not answer, and show what is kept of it', async () => {
    const { engine, server } = world;
    await keptBy(server.services.logs)(engine, { id: second, name: 'dev.shop.web.r1.1.g1', labels }, 'm1');
    engine.control.reachable(false);
    const answer = await ask('GET', `${dev}/logs?application=shop`);
    engine.control.reachable(true);
    expect(answer.text).toMatch(/event: note\ndata: .*shop\/web\/1\.g1: m1 cannot be asked/);
    expect(textsOf(answer).slice(0, 3)).toContain('two');
  });

  it('are kept as long as their environment says, from 1 to 730 days', async () => {
    expect((await ask('GET', `${dev}/log-retention`)).json).toEqual({ days: 7 });
    expect((await ask('PUT', `${dev}/log-retention`, { json: { days: 30 } })).status).toBe(200);
    expect((await ask('GET', `${dev}/log-retention`)).json).toEqual({ days: 30 });
    expect((await ask('PUT', `${dev}/log-retention`, { json: { days: 0 } })).status).toBe(400);
  });

  it.each(['service=web', 'replica=x', 'cursor=x', 'tail=-1', 'since=yesterday', 'contains=', 'grep=x'])(
    'refuse ?%s',
    async (query) => {
      expect((await ask('GET', `${dev}/logs?${query}`)).status).toBe(400);
    },
  );
});

describe('what a machine sends', () => {
  it('is kept under its own name, once, and of our containers alone', async () => {
    const { services } = world.server;
    const machine = Machine.parse({
      ...(await services.stores.machines.get('default', 'm1'))?.value,
      name: 'default-k3x9bc',
      vmId: '/vm',
    });
    await services.machines.add(machine);
    const made = {
      machines: services.machines,
      logs: services.logs,
      machineTokens: { resourceOf: async () => '/VM' },
    } as unknown as Services;
    const send = async (part: Record<string, unknown>) => {
      const answer = await withProblems((request) => keepLogs(request, made))(
        new HttpRequest({
          method: 'POST',
          url: 'http://localhost/x',
          params: { name: machine.name },
          headers: { 'content-type': 'application/json' },
          body: { string: JSON.stringify({ parts: [part] }) },
        }),
        new InvocationContext(),
      );
      return (answer as { jsonBody: { parts: Record<string, unknown>[] } }).jsonBody?.parts[0];
    };
    const container = { id: 'e'.repeat(64), name: 'dev.shop.web.r1.5.g1', labels };
    const text = '2026-11-30T12:00:00.000000001Z o from the machine\n';
    const answer = await send({ container, text });
    expect(answer).toEqual({
      moved: false,
      place: { segment: '2026-11-30T12:00:00.000Z', position: text.length },
    });
    expect(await send({ container, text })).toMatchObject({
      moved: true,
      stdout: '2026-11-30T12:00:00.000000001Z',
    });
    expect(await send({ container, text: '', place: answer?.['place'] })).toMatchObject({ moved: false });
    expect(await send({ container: { ...container, labels: {} }, text })).toEqual({ moved: false });
    const shown = await ask('GET', `${dev}/logs?replica=5`);
    expect(shown.text).toContain('"machine":"default-k3x9bc"');
    expect(textsOf(shown)).toEqual(['from the machine']);
  });
});
