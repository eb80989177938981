import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customDataSecret } from '../../../shared/machines/by-hand/custom-data-secret.ts';
import { Machine } from '../../../shared/model/machine.ts';
import { MachineName } from '../../../shared/model/names.ts';
import { Replica } from '../../../shared/model/service.ts';
import { placeOf } from '../../../shared/workloads/stores.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { type Answer, makeAsk } from '../../support/ask.ts';

let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
beforeAll(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
});
afterAll(() => world.server.close());

const codeOf = ({ status, json }: Answer) => `${status} ${(json as { code?: string }).code}`;
const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
const create = (json: object, key?: string, address = '203.0.113.9:51000') =>
  ask('POST', '/api/v1/machines', {
    json,
    headers: { 'x-forwarded-for': address, ...(key !== undefined && { 'idempotency-key': key }) },
  });
const change = async (name: string, more: Partial<Machine>) =>
  world.server.services.machines.change(MachineName.parse(name), (machine) => ({ ...machine, ...more }));
const now = () => new Date().toISOString();
const record = async (name: string) =>
  Machine.parse(await world.server.services.machines.get(MachineName.parse(name)));
const poolMachine = (name: string) =>
  world.server.services.machines.add(
    Machine.parse({
      name,
      pool: 'default',
      size: 'Standard_B2s',
      image: 'Debian:debian-13:13-gen2:latest',
      resources: { vm: name, nic: `${name}-nic`, disk: `${name}-disk` },
      vmId: `/virtualMachines/${name}`,
      address: '10.20.0.5',
      cpu: 2,
      memory: 3686,
      status: { state: 'ready', since: now() },
      owner: `machine-${name}`,
    }),
  );
const started = (orchestration: string, machine: string) =>
  world.server.durable.starts.filter(
    ({ name, input }) => name === orchestration && (input as { machine: string }).machine === machine,
  );

describe('a machine by hand', () => {
  it('is one of two that are asked for at once under its name, with the cloud-init data of that one', async () => {
    const wanted = ['first', 'second'].map((word) => `#cloud-config\nwrite_files: [{path: /${word}}]\n`);
    const answers = await Promise.all(
      wanted.map((customData, index) => create({ name: 'twin', customData }, `twin-${index}`)),
    );
    expect(answers.map(codeOf).sort()).toEqual(['202 undefined', '409 machine-exists']);
    const winner = answers.findIndex(({ status }) => status === 202);
    const sealed = await world.server.services.secrets.open(customDataSecret('twin'));
    expect(new TextDecoder().decode(sealed)).toBe(wanted[winner]);
  });

  it('is planned, with its cost, and nothing is made', async () => {
    const before = world.server.durable.starts.length;
    const { status, json } = await ask('POST', '/api/v1/machine-plans', {
      json: { name: 'plan', openPorts: ['80'], dnsLabel: 'my-plan' },
      ...from('203.0.113.9'),
    });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      plan: {
        size: 'Standard_B2s',
        cpu: 2,
        allowFrom: ['203.0.113.9/32'],
        hostname: 'my-plan.westeurope.cloudapp.azure.com',
        cost: { machine: expect.any(Number), disk: expect.any(Number), publicAddress: 0.005 },
        makes: ['security group', 'public address', 'network interface', 'virtual machine', 'disk'],
      },
    });
    expect(codeOf(await ask('GET', '/api/v1/machines/plan'))).toBe('404 machine-not-found');
    expect(world.server.durable.starts).toHaveLength(before);
  });

  it('is recorded under all its names before anything is asked of ARM; asked for again by the same key it is one', async () => {
    const first = await create({ name: 'one', customData: '#!/bin/sh\necho secret\n' }, 'key-1');
    expect(first.status).toBe(202);
    const { machine, operation } = first.json as { machine: Machine; operation: { operation: string } };
    expect(machine.resources.vm).toMatch(/^one-\w{6}$/);
    expect(operation).toMatchObject({ operation: machine.owner, kind: 'create', status: 'going' });
    expect(await record('one')).toEqual(Machine.parse(machine));
    expect(started('provision-machine', 'one')).toMatchObject([{ id: `machine-${machine.resources.vm}` }]);
    expect(JSON.stringify([first.json, started('provision-machine', 'one')])).not.toContain('echo secret');
    expect(await world.server.services.secrets.open(customDataSecret('one'))).toBeDefined();
    const again = await create({ name: 'one' }, 'key-1');
    expect((again.json as { machine: Machine }).machine.resources).toEqual(machine.resources);
    expect(codeOf(await create({ name: 'one' }, 'key-2'))).toBe('409 machine-exists');
  });

  it('takes the name of one that failed, of which nothing is left', async () => {
    await create({ name: 'again' });
    const { resources } = await record('again');
    await change('again', {
      leftovers: [resources],
      status: { state: 'failed', at: now(), code: 'x', reason: 'x' },
    });
    expect(codeOf(await create({ name: 'again' }))).toBe('409 machine-exists');
    await change('again', { leftovers: [] });
    const answers = await Promise.all([create({ name: 'again' }), create({ name: 'again' })]);
    expect(answers.map(codeOf).sort()).toEqual(['202 undefined', '409 machine-exists']);
    const machine = answers.map(({ json }) => (json as { machine?: Machine }).machine).find((one) => one)!;
    expect(machine.resources.vm).not.toBe(resources.vm);
    expect((await record('again')).resources).toEqual(machine.resources);
  });

  it('is refused with every fault and what was meant, and changes nothing', async () => {
    const answer = await create({
      name: 'bad',
      size: 'Standard_B2',
      image: 'Debian:debian-12:13:latest',
      zone: '7',
    });
    expect(codeOf(answer)).toBe('400 machine-invalid');
    expect((answer.json as { issues: { path: string }[] }).issues.map(({ path }) => path)).toEqual([
      'size',
      'image',
    ]);
    for (const json of [
      { name: 'Bad' },
      { name: 'bad', allowFrom: ['everybody'] },
      { name: 'bad', openPorts: ['0'] },
      { name: 'bad', sshKeys: ['ssh-rsa AAAA'] },
      { name: 'bad', unknown: 1 },
    ])
      expect(codeOf(await create(json)), JSON.stringify(json)).toBe('400 request-invalid');
    expect(codeOf(await ask('GET', '/api/v1/machines/bad'))).toBe('404 machine-not-found');
  });

  it.each([
    ['198.51.100.1, 203.0.113.9:1234', ['203.0.113.9/32']],
    ['0.0.0.0/0, 203.0.113.9', ['203.0.113.9/32']],
    ['127.0.0.1:5000', ['10.20.255.0/24']],
    ['203.0.113.9, 2001:db8::1', undefined],
    ['203.0.113.9, unknown', undefined],
  ])('admits who asks: of "%s" only what the platform wrote', async (header, expected) => {
    const answer = await ask('POST', '/api/v1/machine-plans', { json: { name: 'who' }, ...from(header) });
    if (expected === undefined) expect(codeOf(answer)).toBe('400 caller-address-unknown');
    else expect((answer.json as { plan: { allowFrom: string[] } }).plan.allowFrom).toEqual(expected);
  });

  it('stops, saying what is billed on, starts again and restarts; what does not fit is refused', async () => {
    await create({ name: 'power' });
    const power = (verb: string) => ask('POST', `/api/v1/machines/power/${verb}`);
    expect(codeOf(await power('stop'))).toBe('409 machine-state');
    await change('power', { status: { state: 'ready', since: now() } });
    const stopped = await power('stop');
    expect(stopped.json).toMatchObject({
      machine: { status: { state: 'stopping' } },
      billed: { disk: expect.any(Number), publicAddress: 0.005 },
      operation: { kind: 'stop' },
    });
    expect(started('change-power', 'power')).toMatchObject([{ input: { action: 'stop' } }]);
    expect(codeOf(await power('start'))).toBe('409 machine-state');
    await change('power', { status: { state: 'stopped', since: now() } });
    expect((await power('start')).json).toMatchObject({ machine: { status: { state: 'starting' } } });
    await change('power', { status: { state: 'ready', since: now() } });
    expect((await power('restart')).status).toBe(202);
    expect(codeOf(await ask('POST', '/api/v1/machines/powr/stop'))).toBe('404 machine-not-found');
    expect((await ask('POST', '/api/v1/machines/powr/stop')).json).toMatchObject({
      remedy: 'Did you mean power?',
    });
  });

  it('lets others in', async () => {
    await create({ name: 'doors', openPorts: ['80'] });
    const path = '/api/v1/machines/doors/allow-from';
    const answer = await ask('PUT', path, { json: { allowFrom: ['198.51.100.77/24'] } });
    expect(answer.json).toMatchObject({ operation: { kind: 'allow-from' } });
    expect((await record('doors')).hand).toMatchObject({ allowFrom: ['198.51.100.0/24'], openPorts: ['80'] });
    expect(started('admit-callers', 'doors')).toHaveLength(1);
    await ask('PUT', path, { json: { openPorts: [] }, ...from('203.0.113.1') });
    expect((await record('doors')).hand).toMatchObject({ allowFrom: ['203.0.113.1/32'], openPorts: [] });
    await poolMachine('default-bcdfgj');
    expect(
      codeOf(await ask('PUT', '/api/v1/machines/default-bcdfgj/allow-from', { json: { allowFrom: [] } })),
    ).toBe('409 machine-of-pool');
  });

  it('is removed, with what was kept of it', async () => {
    await create({ name: 'gone', customData: '#!/bin/sh\n' });
    const { resources } = await record('gone');
    const answer = await ask('DELETE', '/api/v1/machines/gone');
    expect(answer.json).toMatchObject({ operation: { operation: `retire-${resources.vm}`, kind: 'remove' } });
    expect(started('retire-machine', 'gone')).toMatchObject([{ id: `retire-${resources.vm}` }]);
    expect(await world.server.services.secrets.open(customDataSecret('gone'))).toBeUndefined();
  });

  it('is to ask for another certificate with its next report, unless it is off', async () => {
    await create({ name: 'lapsed' });
    const path = '/api/v1/machines/lapsed/certificate';
    expect(codeOf(await ask('POST', path))).toBe('409 machine-state');
    await change('lapsed', { status: { state: 'ready', since: now() } });
    expect((await ask('POST', path)).status).toBe(202);
    expect((await record('lapsed')).renewal).toBeDefined();
  });

  it('shows what its console says, and what it said before it failed', async () => {
    await create({ name: 'loud' });
    expect(codeOf(await ask('GET', '/api/v1/machines/loud/console'))).toBe('404 console-not-found');
    const console = await world.server.services.consoles.keep(await record('loud'), 'Kernel panic\n');
    await change('loud', { status: { state: 'failed', at: now(), code: 'x', reason: 'x', console } });
    const answer = await ask('GET', '/api/v1/machines/loud/console');
    expect(answer.text).toBe('Kernel panic\n');
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  });
});

describe('a machine of a pool', () => {
  it('that carries replicas is not removed without --drain or --force', async () => {
    await poolMachine('default-bcdfgh');
    const replica = Replica.parse({
      key: { environment: 'shop', application: 'web', service: 'front' },
      revision: 1,
      slot: 0,
      generation: 1,
      machine: 'default-bcdfgh',
      address: '10.20.0.5',
      port: 30_000,
      status: { state: 'healthy', since: now() },
    });
    await world.server.services.stores.replicas.insert(...placeOf.replica(replica), replica);
    const refused = await ask('DELETE', '/api/v1/machines/default-bcdfgh');
    expect(codeOf(refused)).toBe('409 machine-occupied');
    expect((refused.json as { issues: unknown }).issues).toEqual([
      { path: 'shop.web.front/0.g1', message: 'is on default-bcdfgh' },
    ]);
    expect(codeOf(await ask('POST', '/api/v1/machines/default-bcdfgh/restart'))).toBe('409 machine-occupied');
    expect(codeOf(await ask('POST', '/api/v1/machines/default-bcdfgh/stop'))).toBe('409 machine-of-pool');
    expect(started('retire-machine', 'default-bcdfgh')).toEqual([]);

    const drained = await ask('DELETE', '/api/v1/machines/default-bcdfgh?drain=true');
    expect(drained.json).toMatchObject({
      machine: { cordon: { by: 'removal', drain: true } },
      operation: { step: 'drain' },
    });
    expect(started('drain-machine', 'default-bcdfgh')).toHaveLength(1);
    expect((await ask('GET', '/api/v1/machine-operations/retire-default-bcdfgh')).json).toMatchObject({
      kind: 'remove',
      status: 'going',
      step: 'drain',
    });
    expect(started('retire-machine', 'default-bcdfgh')).toEqual([]);
    expect((await ask('DELETE', '/api/v1/machines/default-bcdfgh?force=true')).status).toBe(202);
    expect(started('retire-machine', 'default-bcdfgh')).toHaveLength(1);
  });
});

describe('a certificate of a client', () => {
  const pair = (namedCurve = 'P-256') => generateKeyPairSync('ec', { namedCurve });
  const pem = (key: ReturnType<typeof pair>) =>
    key.publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const issue = (json: object) => ask('POST', '/api/v1/client-certificates', { json });

  it('is of the key that was sent, says who asked, and lasts a day', async () => {
    const key = pair();
    const answer = await issue({ publicKey: pem(key) });
    const { certificate, ca, notAfter, subject } = answer.json as Record<string, string>;
    const issued = new X509Certificate(certificate ?? '');
    expect(issued.verify(new X509Certificate(ca ?? '').publicKey)).toBe(true);
    expect(issued.checkPrivateKey(key.privateKey)).toBe(true);
    expect(issued.subject).toBe(`CN=${subject}`);
    expect(subject).toBe('admin');
    expect(issued.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    const hours = (Date.parse(notAfter ?? '') - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThanOrEqual(24);
  });

  it.each([
    [{ publicKey: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n' }, '400 public-key-invalid'],
    [
      { csr: '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n' },
      '400 csr-invalid',
    ],
    [{ publicKey: 'x' }, '400 request-invalid'],
    [{}, '400 request-invalid'],
  ])('is refused for %j', async (json, code) => {
    expect(codeOf(await issue(json))).toBe(code);
  });

  it('is refused for a key of another kind', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
      type: 'spki',
      format: 'pem',
    });
    expect(codeOf(await issue({ publicKey: rsa }))).toBe('400 csr-key-refused');
    expect(codeOf(await issue({ publicKey: pem(pair('P-521')) }))).toBe('400 csr-key-refused');
  });

  it("is nobody's who may not operate machines", async () => {
    const secret = createHash('sha256').update('none').digest('hex');
    expect(
      (
        await ask('POST', '/api/v1/client-certificates', {
          key: `berth_none_${secret}`,
          json: { publicKey: pem(pair()) },
        })
      ).status,
    ).toBe(401);
  });
});
