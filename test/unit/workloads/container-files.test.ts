import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { memoryEngine } from '../../../shared/docker/engine.memory.ts';
import type { ContainerRequest } from '../../../shared/docker/engine.ts';
import { ApplicationSpec } from '../../../shared/model/application.ts';
import { ApplicationName, EnvironmentName } from '../../../shared/model/names.ts';
import { Secret } from '../../../shared/secrets/secret.ts';
import { blobSecrets } from '../../../shared/secrets/secrets.blobs.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { keepContents } from '../../../shared/workloads/config-contents.ts';
import { versionsOf, versionsText, withFiles } from '../../../shared/workloads/container-files.ts';
import { serviceSecrets } from '../../../shared/workloads/service-secrets.ts';
import { stores } from '../../../shared/workloads/stores.ts';

const owner = { environment: EnvironmentName.parse('dev'), application: ApplicationName.parse('shop') };
const request: ContainerRequest = {
  name: 'dev.shop.web.r1.0.g1',
  image: 'registry/shop@sha256:1',
  command: undefined,
  environment: { COLOUR: 'blue' },
  labels: { 'berth.environment': 'dev' },
  cpu: 1,
  memory: 64,
  publish: undefined,
  stopGrace: 1,
};

const world = async () => {
  const tables = memoryTables();
  const sealed = blobSecrets(memoryBlobs(), {
    current: new Secret(randomBytes(32).toString('base64')),
    previous: undefined,
  });
  const engine = memoryEngine();
  await engine.pull(request.image, '');
  const secrets = serviceSecrets(tables, sealed, () => new Date());
  return { engine, secrets, ports: { stores: stores(tables), secrets } };
};

const spec = (web: object, more: object = {}) =>
  ApplicationSpec.parse({ name: 'shop', services: { web: { image: 'shop/web', ...web } }, ...more });

it('a container that wants no files is asked for as it was', async () => {
  const { engine, ports } = await world();
  expect(await withFiles(ports, engine, owner, {}, request)).toBe(request);
  expect(engine.control.created).toEqual([]);
});

it('files lie on the machine before the container is made, with owner and mode, and nothing else holds a value', async () => {
  const { engine, secrets, ports } = await world();
  await secrets.set({ environment: owner.environment, name: 'db-password' }, Buffer.from('environment'));
  await secrets.set({ ...owner, name: 'db-password' }, Buffer.from('hush'));
  const { services } = await keepContents(
    ports.stores.configs,
    spec(
      {
        user: '1000:1001',
        configs: ['app.conf', { config: 'app.conf', target: '/etc/app/b.conf', mode: '0640', uid: 7 }],
        secrets: [
          { secret: 'password', env: 'PASSWORD_FILE' },
          { secret: 'password', target: '/etc/pw' },
        ],
      },
      { configs: { 'app.conf': { content: 'a=1\n' } }, secrets: { password: { name: 'db-password' } } },
    ),
  );
  const [web] = Object.values(services);
  const made = await withFiles(ports, engine, owner, web ?? {}, request);
  const folder = '/run/berth/files/dev.shop.web.r1.0.g1';
  expect(made.mounts).toEqual([
    { type: 'bind', source: `${folder}/own/0`, target: '/app.conf', readOnly: true },
    { type: 'bind', source: `${folder}/own/1`, target: '/etc/app/b.conf', readOnly: true },
    { type: 'bind', source: `${folder}/own/2`, target: '/run/secrets/password', readOnly: true },
    { type: 'bind', source: `${folder}/own/3`, target: '/etc/pw', readOnly: true },
  ]);
  expect(made.environment).toEqual({ COLOUR: 'blue', PASSWORD_FILE: '/run/secrets/password' });
  expect(made.labels).toEqual({ 'berth.environment': 'dev', 'berth.secrets': 'db-password=1' });
  expect(entriesOf(engine.control.archives.get(folder))).toEqual([
    { path: 'own/', mode: '700', owner: '0:0', content: '' },
    { path: 'own/0', mode: '444', owner: '1000:1001', content: 'a=1\n' },
    { path: 'own/1', mode: '640', owner: '7:1001', content: 'a=1\n' },
    { path: 'own/2', mode: '400', owner: '1000:1001', content: 'hush' },
    { path: 'own/3', mode: '400', owner: '1000:1001', content: 'hush' },
  ]);
  expect(await engine.list([])).toEqual([]);
  expect(JSON.stringify([made, engine.control.created, services])).not.toContain('hush');
});

it('a secret that is gone and a config whose content is gone are said by name', async () => {
  const { engine, ports } = await world();
  const start = (wanted: Parameters<typeof withFiles>[3]) => withFiles(ports, engine, owner, wanted, request);
  await expect(start({ secrets: [{ secret: 'token' }] })).rejects.toMatchObject({
    code: 'secret-missing',
    remedy: 'Set it: berth secrets set token --environment dev',
  });
  await expect(start({ configs: [{ config: 'x' }] })).rejects.toMatchObject({ code: 'config-missing' });
  expect(engine.control.created).toEqual([]);
});

it('the same content has the same digest, and a deployment that is repeated changes nothing', async () => {
  const { ports } = await world();
  const app = (config: object) => spec({ configs: ['c'] }, { configs: { c: config } });
  const first = await keepContents(ports.stores.configs, app({ content: 'aGk=' }));
  const bytes = await keepContents(ports.stores.configs, app({ content: 'YUdrPQ==', encoding: 'base64' }));
  expect(first).toEqual(bytes);
  expect(await keepContents(ports.stores.configs, first)).toEqual(first);
  expect(Object.values(first.services)[0]?.configs?.[0]?.digest).toMatch(/^sha256:/);
  for (const wrong of [{ file: 'c.conf' }, { digest: `sha256:${'0'.repeat(64)}` }])
    await expect(keepContents(ports.stores.configs, app(wrong))).rejects.toMatchObject({
      code: 'config-invalid',
      issues: [{ path: 'configs.c' }],
    });
});

it('versions are read as they were written', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/);
  fc.assert(
    fc.property(fc.dictionary(name, fc.nat()), (versions) => {
      expect(versionsOf(versionsText(versions))).toEqual({ ...versions });
    }),
  );
  expect(versionsOf(undefined)).toEqual({});
});

function entriesOf(archive: Uint8Array | undefined) {
  const bytes = Buffer.from(archive ?? []);
  const entries = [];
  for (let at = 0; bytes[at] !== undefined && bytes[at] !== 0; ) {
    const text = (from: number, length: number) =>
      bytes.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '');
    const octal = (from: number, length: number) => Number.parseInt(text(from, length), 8);
    const size = octal(124, 12);
    entries.push({
      path: text(0, 100),
      mode: octal(100, 8).toString(8),
      owner: `${octal(108, 8)}:${octal(116, 8)}`,
      content: bytes.toString('utf8', at + 512, at + 512 + size),
    });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}
