import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceKey } from '../../../shared/model/service.ts';
import { placeOf } from '../../../shared/workloads/stores.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';
import { berthProgram } from '../../support/berth-program.ts';

const dev = '/api/v1/environments/dev';
const web = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'web' });

let world: ApiWorld;
let program: ReturnType<typeof berthProgram>;
let container: string;
/** Says what it is told, as what runs in the container would. */
let echo: Server;
beforeAll(async () => {
  world = await startApiWorld();
  program = berthProgram(world.server);
  const application = { name: 'shop', services: { web: { image: 'shop/web:1', replicas: 1, port: 80 } } };
  await world.push('shop/web:1');
  await ask('PUT', `${dev}/applications/shop`, { json: application });
  container = await world.replica(web, 0);
  echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const { port } = echo.address() as { port: number };
  const place = placeOf.replica({ key: web, slot: 0, generation: 1 });
  await world.server.services.stores.replicas.update(
    ...place,
    (row) => row && { ...row, address: '127.0.0.1', port },
  );
});
afterAll(async () => {
  echo?.close();
  program?.remove();
  await world?.server.close();
});

const ask: ReturnType<typeof makeAsk> = (...given) => makeAsk(world.server)(...given);

describe('files', () => {
  it('come out of containers and go into them', async () => {
    const archive = pack();
    archive.entry({ name: 'data/file' }, 'content');
    archive.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of archive) chunks.push(chunk as Buffer);
    world.access.files.set(`${container}:/srv/data`, Buffer.concat(chunks));
    const out = await program.run(['cp', 'web:/srv/data', 'here']);
    expect([out.code, out.stderr]).toEqual([0, '']);
    expect(readFileSync(join(program.folder, 'here/file'), 'utf8')).toBe('content');
    mkdirSync(join(program.folder, 'there'));
    writeFileSync(join(program.folder, 'there/one'), 'x');
    world.access.files.set(`${container}:/srv`, new Uint8Array());
    const into = await program.run(['cp', 'there', 'shop/web:/srv/again', '--json']);
    expect([into.code, into.stderr]).toEqual([0, '']);
    expect(JSON.parse(into.stdout.toString())).toMatchObject({ files: 1, size: 1, to: '/srv/again' });
    expect(Buffer.from(world.access.files.get(`${container}:/srv`) ?? []).toString('latin1')).toContain(
      'again/one',
    );
  });

  it.each([
    ['GET', 'archive?path=relative', 400],
    ['GET', 'archive?path=/none', 404],
    ['GET', 'file?path=/none', 404],
    ['PUT', 'archive?path=/srv', 415],
  ])('%s %s: %i', async (method, path, status) => {
    expect((await ask(method, `${dev}/services/shop/web/${path}`)).status).toBe(status);
  });
});

describe('a tunnel', () => {
  it('carries connections both ways, several at once, and ends with Ctrl-C', async () => {
    const child = program.start(['tunnel', 'web', '0:80', '--json']);
    const lines = createInterface({ input: child.stdout! });
    let text = '';
    lines.on('line', (line) => {
      text += line;
    });
    while (!text.endsWith('}')) await once(lines, 'line');
    const { port } = JSON.parse(text) as { port: number };
    const exchange = async (bytes: Buffer): Promise<Buffer> => {
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
      const got: Buffer[] = [];
      socket.on('data', (chunk) => got.push(chunk));
      socket.end(bytes);
      await once(socket, 'end');
      return Buffer.concat(got);
    };
    const large = Buffer.from(Array.from({ length: 600_000 }, (_, index) => (index * 13) % 256));
    const answers = await Promise.all([exchange(Buffer.from('SELECT 1')), exchange(large)]);
    expect(answers[0]?.toString()).toBe('SELECT 1');
    expect(answers[1]?.equals(large)).toBe(true);
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
  });
});

describe('a command of a service', () => {
  it('is a run under its name, goes on while it is watched, and ends when it is asked to', async () => {
    const json = { command: ['migrate'], watched: true };
    const headers = { 'idempotency-key': 'once' };
    const begin = () => ask('POST', `${dev}/services/shop/web/runs`, { json, headers });
    const begun = await begin();
    const { run, location } = begun.json as { run: string; location: string };
    expect([begun.status, location]).toEqual([202, `${dev}/jobs/shop/web/runs/${run}`]);
    expect(((await begin()).json as { run: string }).run).toBe(run);
    const until = async (method: string, path = '') =>
      ((await ask(method, `${location}${path}`)).json as { watchedUntil: string }).watchedUntil;
    const first = await until('GET');
    expect((await until('POST', '/watch')) >= first).toBe(true);
    const ended = await until('DELETE');
    expect(Date.parse(ended)).toBeLessThanOrEqual(Date.now());
    expect(await until('POST', '/watch')).toBe(ended);
    expect((await ask('POST', `${dev}/services/shop/none/runs`, { json })).status).toBe(404);
    expect((await ask('POST', `${dev}/services/shop/web/runs`, { json: { command: [] } })).status).toBe(400);
  });
});

describe('what there is', () => {
  it('says what replicas use, and whose machine carries them', async () => {
    const { json } = await ask('GET', `${dev}/usage?application=shop`);
    expect(json).toMatchObject({
      replicas: [{ key: web, replica: '0.g1', machine: 'm1', usage: { cpu: 1, memory: 1_048_576 } }],
      machines: [{ name: 'm1', cpu: 2, memory: 4096 }],
    });
  });

  it('events are about an application or a service', async () => {
    const listed = async (query: string) =>
      (
        (await ask('GET', `/api/v1/events?${query}`)).json as { events: { event: { type: string } }[] }
      ).events.map(({ event }) => event.type);
    const about = await listed('environment=dev&application=shop&service=web');
    expect(new Set(about)).toEqual(new Set(['dev.berth.command', 'dev.berth.copy', 'dev.berth.tunnel']));
    expect(await listed('application=other')).toEqual([]);
  });

  it('events are shown as they come, and a restart is waited for', async () => {
    const events = program.start(['events', 'shop/web', '-f', '--json']);
    const shown = createInterface({ input: events.stdout! })[Symbol.asyncIterator]();
    const restarting = program.run(['restart', 'web', '--wait']);
    const first = JSON.parse((await shown.next()).value as string) as { event: { type: string } };
    expect(first.event.type).toMatch(/^dev\.berth\./);
    for (let line = first as { event: { type: string; data?: { type?: string } } }; ; ) {
      if (line.event.data?.type === 'restart') break;
      line = JSON.parse((await shown.next()).value as string);
    }
    events.kill('SIGINT');
    await world.changeService(web, {
      healthyRevision: 2,
      rollout: { state: 'done', at: new Date().toISOString() },
    });
    const { code, stdout, stderr } = await restarting;
    expect([code, stderr]).toEqual([0, expect.stringContaining('shop/web  revision 2')]);
    expect(stdout.toString()).toContain('shop/web/0.g1');
  });

  it('an application is destroyed only after a word', async () => {
    const refused = await program.run(['destroy', 'shop']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('service web')]);
    expect((await ask('GET', `${dev}/applications/shop`)).status).toBe(200);
    const gone = await program.run(['destroy', 'shop', '--yes', '--no-wait']);
    expect(gone.code).toBe(0);
    expect((await ask('GET', `${dev}/applications/shop`)).status).toBe(404);
  });
});
