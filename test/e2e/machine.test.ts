import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBusyboxImage } from '../../infra/local/base-images/busybox.ts';
import { readAll } from '../../infra/local/machine-runtime/engine-api.ts';
import { addressIn } from '../../infra/local/machine-runtime/free-subnet.ts';
import { execute } from '../../infra/local/machine-runtime/machine-containers.ts';
import type { InboundRule, MachineRequest } from '../../infra/local/machine-runtime/machine-runtime.ts';
import type { Engine } from '../../shared/docker/engine.ts';
import { engines } from '../../shared/docker/engines.ts';
import { type CloudInitRequest, renderCloudInit } from '../../shared/machines/cloud-init.ts';
import { becomeImage } from '../../shared/machines/golden/builder-cloud-init.ts';
import { builderWord } from '../../shared/machines/golden/builder-console.ts';
import { until } from '../support/conditions.ts';
import { cache, noMachines, startMachines, type TestMachines } from '../support/machines.ts';
import { type RegisteringApp, startRegisteringApp } from '../support/registering-app.ts';
import { long } from '../support/sample.ts';

const obstacle = await noMachines();

/** Docker 26 and systemd 257; in the long tests also 20.10 and 252. */
const images = [
  'Debian:debian-13:13-gen2:latest',
  ...(long ? ['Debian:debian-12:12-gen2:latest'] : []),
] as const;
const why = obstacle === undefined ? '' : ` (${obstacle})`;

describe.skipIf(obstacle !== undefined).each(images)(`a machine of %s${why}`, (image) => {
  let machines: TestMachines;
  let app: RegisteringApp;
  let engine: Engine;
  let address: string;
  const name = 'm1';
  const shell = (command: string) =>
    execute(machines.engine.api, `berth-${machines.id}-${name}`, ['sh', '-c', command]);
  const customDataOf = (changes: Partial<CloudInitRequest> = {}) =>
    Buffer.from(
      renderCloudInit({
        machine: name,
        appUrl: app.url,
        engineCaCertificate: app.engineCa.certificatePem,
        network: machines.network.subnet,
        image,
        ...changes,
      }),
    ).toString('base64');
  const requestOf = (changes: Partial<MachineRequest> = {}): MachineRequest => ({
    name,
    address,
    image: { kind: 'marketplace', reference: image },
    customData: customDataOf(),
    cores: 2,
    memory: 2048,
    adminUser: 'azureuser',
    sshKeys: [],
    inboundRules: [],
    ...changes,
  });

  beforeAll(async () => {
    machines = await startMachines();
    address = addressIn(machines.network.subnet, 10);
    app = await startRegisteringApp(machines, { [name]: address });
    engine = await engines(app.identity)({ name, address });
  });

  afterAll(async () => {
    await app?.close();
    await machines?.close();
  });

  it('boots, installs Docker with cloud-init, registers, and answers with mutual TLS', async () => {
    await machines.runtime.create(requestOf());
    expect(await machines.runtime.state(name)).toBe('running');
    const { engine: version } = await until('the engine answers', () => engine.version(), 300);
    expect(version).toMatch(/^\d+\.\d+/);
    expect(app.refused).toEqual([]);
    await until('cloud-init is done', async () =>
      (await shell('cloud-init status || true')).includes('done'),
    );
    expect((await shell('hostname')).trim()).toBe(name);
    await until('everything has started', async () =>
      (await shell('systemctl is-system-running || true')).startsWith('running'),
    );
    expect(app.boots).toEqual([{ machine: name, status: expect.any(String), errors: [], engine: true }]);
    expect(await machines.runtime.console(name)).toContain('Cloud-init');
  });

  it('refuses clients without a certificate', async () => {
    await expect(call('GET', '/version', undefined, {})).rejects.toThrow(/certificate|alert|ECONNRESET/i);
  });

  it('reports containers, what they write, their deaths and its use', async () => {
    const image = await ensureBusyboxImage(machines.engine.api, { cache, report: () => {} });
    const saved = await readAll(await machines.engine.api.stream('GET', `/images/${image}/get`));
    await call('POST', '/images/load', saved);
    const { id } = await engine.create({
      name: 'brief',
      image,
      command: ['sh', '-c', 'echo begun; while [ ! -e /tmp/end ]; do sleep 0.1; done; exit 7'],
      environment: {},
      labels: { 'berth.environment': 'dev', 'berth.service': 'dev.hello.web' },
      cpu: 0.1,
      memory: 16,
      publish: undefined,
      stopGrace: 1,
    });
    await engine.start(id);
    const running = await until('it is seen running', () =>
      app.observations.find(({ containers }) =>
        containers.some((one) => one.id === id && one.state === 'running'),
      ),
    );
    expect(running.containers).toMatchObject([{ name: 'brief', state: 'running' }]);
    expect(running.usage.memory).toBeGreaterThan(10);
    await until('what it wrote is sent', () =>
      app.logs
        .flatMap(({ parts }) => parts)
        .some(({ container, text }) => container.id === id && text.endsWith('Z o begun\n')),
    );
    await shell('docker exec brief touch /tmp/end');
    const death = await until('its death is reported', () =>
      app.observations.flatMap(({ died = [] }) => died).find((one) => one.id === id),
    );
    expect(death).toMatchObject({ name: 'brief', exitCode: 7, labels: { 'berth.service': 'dev.hello.web' } });
  });

  it('lets containers reach the app and neither the metadata service nor the platform', async () => {
    const { gateway } = machines.network;
    const reach = (host: string, port: number) =>
      shell(
        `docker run --rm berth/busybox:local nc -w 3 ${host} ${port} < /dev/null > /dev/null && echo open || echo closed`,
      );
    expect(await reach(gateway, machines.appPort)).toBe('open\n');
    expect(await reach(gateway, machines.metadataPort)).toBe('closed\n');
    expect(await reach('169.254.169.254', 80)).toBe('closed\n');
    const own = `python3 -c "import urllib.request as u; print(u.urlopen(u.Request('http://169.254.169.254/metadata/instance?api-version=2021-02-01', headers={'Metadata':'true'})).read().decode())"`;
    expect(JSON.parse(await shell(own))).toMatchObject({ compute: { name } });
  });

  it('gets another certificate after its own has lapsed, while its containers go on', async () => {
    await shell('docker run -d --name kept berth/busybox:local sleep 3600');
    // By the app's clock the certificate was signed so long ago that it ended yesterday.
    const { now } = app.clock;
    app.clock.now = () => new Date(now().getTime() - 91 * 86_400_000);
    await shell('python3 /usr/local/lib/berth/agent.py renew');
    await until('nobody trusts its engine any more', async () => {
      const failure = await engine.version().then(String, (error: Error) => error);
      const words = failure instanceof Error ? `${failure.message} ${failure.cause}` : failure;
      if (!/certificate has expired/i.test(words)) throw new Error(words);
      return true;
    });
    app.clock.now = now;
    await until('its engine answers again', () => engine.version());
    expect((await shell('docker ps --format "{{.Names}}"')).split('\n')).toContain('kept');
    await shell('docker rm -f kept');
  });

  it('enforces the rules of its network security group', async () => {
    const deny: InboundRule = {
      ...{ name: 'no-engine', priority: 100, access: 'Deny', protocol: 'Tcp', ports: ['2376'] },
      sources: [machines.network.subnet],
    };
    await machines.runtime.setInboundRules(name, [deny]);
    // What is connected stays so, as on Azure.
    await engine.version();
    const engineAnew = async () => (await engines(app.identity)({ name, address })).version();
    await expect(engineAnew()).rejects.toThrow(/m1/);
    const allow: InboundRule = { ...deny, name: 'engine', priority: 90, access: 'Allow', sources: ['*'] };
    await machines.runtime.setInboundRules(name, [deny, allow]);
    await engineAnew();
  });

  it('starts again after a reboot, and stays down after a power-off', async () => {
    const boot = async () => (await shell('stat -c %Z /run/systemd')).trim();
    const before = await boot();
    await shell('systemctl reboot');
    await until('it has booted again', async () => (await boot()) !== before);
    await until('its engine answers', () => engine.version());
    expect((await engine.inspect('brief'))?.state.state).toBe('exited');
    await shell('systemctl poweroff');
    await until('it is down', async () => (await machines.runtime.state(name)) === 'stopped');
    // A new runtime starts what should run: this machine was switched off.
    const again = await machines.again();
    expect(await again.state(name)).toBe('stopped');
    await again.start(name);
    await until('its engine answers', () => engine.version());
  });

  it('comes back with this computer’s engine', async (test) => {
    if (!machines.engine.own) return test.skip('the engine is not ours to kill');
    process.kill(Number(readFileSync(`/run/berth-${machines.id}/docker.pid`, 'utf8')), 'SIGKILL');
    await until('it is gone', async () => (await noAnswer(machines.runtime.list())) !== undefined);
    await machines.restartEngine();
    await until('its engine answers', () => engine.version());
  });

  it('is captured as an image, from which a machine registers at once', async () => {
    const imageId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/golden';
    const before = await identity();
    await shell(
      `systemd-run --no-block --property=After=cloud-final.service sh -c '${becomeImage.replaceAll("'", "'\\''")}'`,
    );
    const word = async () => builderWord(await machines.runtime.console(name));
    await until('it says how it ended', async () => (await word()).word !== 'nothing');
    expect(await word()).toEqual({ word: 'clean' });
    await until('it is off', async () => (await machines.runtime.state(name)) === 'stopped');
    await machines.runtime.capture(name, imageId);
    await machines.runtime.remove(name);
    expect(await machines.runtime.state(name)).toBe('absent');
    app.observations.length = 0;
    const customData = customDataOf({ installed: true });
    await machines.runtime.create(requestOf({ image: { kind: 'captured', imageId }, customData }));
    await until('its engine answers', () => engine.version());
    await until('it reports', () => app.observations.length > 0);
    await until('cloud-init is done', async () =>
      (await shell('cloud-init status || true')).includes('done'),
    );
    const after = await identity();
    for (const [index, one] of after.entries()) expect(one).not.toBe(before[index]);
    expect(app.refused).toEqual([]);
    expect(await shell('systemctl is-active ssh')).toBe('active\n');
    await machines.runtime.remove(name);
    await machines.runtime.removeImage(imageId);
    expect(await machines.runtime.list()).toEqual([]);
  });

  it('tells at once that its cloud-init failed, and why', async () => {
    const broken = Buffer.from(customDataOf(), 'base64')
      .toString()
      .replace('- docker.io', '- no-such-engine');
    app.boots.length = 0;
    await machines.runtime.create(requestOf({ customData: Buffer.from(broken).toString('base64') }));
    const told = await until('it tells of its boot', () => app.boots[0], 240);
    expect(told).toMatchObject({ machine: name, engine: false });
    expect(told.errors.join()).toMatch(/package/);
    await machines.runtime.remove(name);
  });

  /** What must not be the same on two machines: machine id, key of sshd, key and certificate of the engine. */
  const identity = () =>
    Promise.all(
      [
        '/etc/machine-id',
        '/etc/ssh/ssh_host_ed25519_key.pub',
        '/etc/docker/tls/key.pem',
        '/etc/docker/tls/cert.pem',
      ].map((file) => shell(`cat ${file}`)),
    );

  /** Why it failed; undefined if it did not. */
  const noAnswer = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (error) => error,
    );

  /** A call of the machine's engine that the Engine port has no use for. */
  async function call(method: string, path: string, body?: Buffer, identity?: object): Promise<void> {
    const { certificate, key, ca } = await app.identity();
    await new Promise<void>((resolve, reject) => {
      const outgoing = request(
        {
          ...{ host: address, port: 2376, method, path, servername: name, ca, agent: false },
          ...(identity ?? { cert: certificate, key }),
          headers: { 'content-type': 'application/x-tar' },
        },
        (answer) => {
          answer.on('error', reject).on('end', resolve).resume();
        },
      );
      outgoing.on('error', reject).end(body);
    });
  }
});
