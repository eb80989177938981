import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceKey } from '../../../shared/model/service.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';
import { berthProgram } from '../../support/berth-program.ts';

const dev = '/api/v1/environments/dev';
const web = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'web' });

let world: ApiWorld;
let program: ReturnType<typeof berthProgram>;
beforeAll(async () => {
  world = await startApiWorld();
  program = berthProgram(world.server);
  const application = { name: 'shop', services: { web: { image: 'shop/web:1', replicas: 2, port: 80 } } };
  await world.push('shop/web:1');
  await ask('PUT', `${dev}/applications/shop`, { json: application });
  await world.replica(web, 0);
  await world.replica(web, 1);
});
afterAll(async () => {
  program?.remove();
  await world?.server.close();
});

const ask: ReturnType<typeof makeAsk> = (...given) => makeAsk(world.server)(...given);
const newId = () => crypto.randomUUID().replaceAll('-', '');

describe('commands in containers', () => {
  it('are given an input, give their output, and end', async () => {
    const session = newId();
    const begun = await ask('POST', `${dev}/services/shop/web/exec`, {
      json: { session, command: ['cat'], stdin: true, replica: '1' },
    });
    expect([begun.status, begun.json]).toEqual([201, { session, replica: '1.g1', machine: 'm1' }]);
    const of = `/api/v1/sessions/${session}`;
    const bytes = Buffer.from([0, 255, 10]).toString('base64');
    expect((await ask('POST', `${of}/input`, { json: { at: 0, bytes, end: true } })).json).toEqual({
      taken: 3,
    });
    const output = await ask('GET', `${of}/output`);
    expect(output.text).toContain(`"bytes":"${bytes}"`);
    expect(output.text).toMatch(/event: exit\ndata: \{"seq":1,"code":0\}/);
    expect((await ask('GET', `${of}/output?from=1`)).text).not.toContain('piece');
  });

  it('are events that say who, where and which, and nothing of what went through', async () => {
    const session = newId();
    const json = { session, command: ['echo', 'secret-free'], user: 'nobody' };
    await ask('POST', `${dev}/services/shop/web/exec`, { json });
    await ask('POST', `${dev}/services/shop/web/exec`, { json });
    const { events } = (await ask('GET', '/api/v1/events?type=dev.berth.exec')).json as {
      events: { answered: boolean; event: { id: string; data: unknown } }[];
    };
    const own = events.filter(({ event }) => event.id === session);
    expect(own.map(({ answered, event }) => [answered, event.data])).toEqual([
      [
        true,
        {
          by: 'admin',
          key: web,
          replica: '0.g1',
          machine: 'm1',
          command: ['echo', 'secret-free'],
          tty: false,
        },
      ],
    ]);
    expect(world.access.ran.at(-1)).toMatchObject({ user: 'nobody' });
  });

  it('have a terminal whose size is told', async () => {
    const session = newId();
    const size = { rows: 24, columns: 80 };
    const json = { session, command: ['sh'], tty: true, stdin: true, size };
    await ask('POST', `${dev}/services/shop/web/exec`, { json });
    const larger = { rows: 50, columns: 100 };
    expect((await ask('POST', `/api/v1/sessions/${session}/size`, { json: larger })).status).toBe(204);
    expect(world.access.sizes).toEqual([size, larger]);
    expect((await ask('DELETE', `/api/v1/sessions/${session}`)).status).toBe(204);
    expect((await ask('GET', `/api/v1/sessions/${session}/output`)).text).toContain('"code":137');
  });

  it.each([
    ['POST', `${dev}/services/shop/none/exec`, { session: 'a'.repeat(32), command: ['x'] }, 404],
    ['POST', `${dev}/services/shop/web/exec`, { session: 'a'.repeat(32), command: [] }, 400],
    ['POST', `${dev}/services/shop/web/exec`, { session: 'short', command: ['x'] }, 400],
    ['POST', `${dev}/services/shop/web/exec`, { session: 'a'.repeat(32), command: ['x'], replica: '9' }, 404],
    ['POST', `${dev}/services/shop/web/tunnel`, { session: 'a'.repeat(32), port: 81 }, 400],
    ['GET', `/api/v1/sessions/${'a'.repeat(32)}/output`, undefined, 404],
    ['POST', `/api/v1/sessions/${'a'.repeat(32)}/input`, { at: 0, bytes: 'no base64!' }, 400],
  ])('%s %s with %j: %i', async (method, path, json, status) => {
    expect((await ask(method, path, { json })).status).toBe(status);
  });

  it('ask for a key that may', async () => {
    const key = (await ask('POST', '/api/v1/keys', { json: { role: 'reader' } })).json as {
      text: string;
    };
    const answer = await ask('POST', `${dev}/services/shop/web/exec`, {
      key: key.text,
      json: { session: newId(), command: ['cat'] },
    });
    expect(answer.status).toBe(403);
  });
});

describe('berth exec', () => {
  it('passes input, output and exit code on, byte for byte', async () => {
    const input = Buffer.from(Array.from({ length: 700_000 }, (_, index) => (index * 7) % 256));
    const { code, stdout, stderr } = await program.run(['exec', '-i', 'web', '--', 'cat'], input);
    expect([code, stderr, stdout.equals(input)]).toEqual([0, '', true]);
  });

  it('ends with the code of the command, and refuses a terminal where there is none', async () => {
    expect((await program.run(['exec', 'shop/web/1', '--', 'exit', '9'])).code).toBe(9);
    const missing = await program.run(['exec', 'web', '--', 'nothing']);
    expect([missing.code, missing.stderr]).toEqual([127, 'nothing: not found\n']);
    expect((await program.run(['exec', '-it', 'web', '--', 'sh'])).code).toBe(2);
  });
});
