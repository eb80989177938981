import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerRequest } from '../../shared/docker/engine.ts';
import { ApplicationSpec } from '../../shared/model/application.ts';
import { ApplicationName, EnvironmentName } from '../../shared/model/names.ts';
import { Secret } from '../../shared/secrets/secret.ts';
import { blobSecrets } from '../../shared/secrets/secrets.blobs.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { keepContents } from '../../shared/workloads/config-contents.ts';
import { withFiles } from '../../shared/workloads/container-files.ts';
import { serviceSecrets } from '../../shared/workloads/service-secrets.ts';
import { startContainer } from '../../shared/workloads/start-container.ts';
import { stores } from '../../shared/workloads/stores.ts';
import { hasEngine, type RealEngine, realEngine } from '../support/real-engine.ts';

const IMAGE = 'berth.test/shell:1';
const owner = { environment: EnvironmentName.parse('dev'), application: ApplicationName.parse('shop') };
const name = `berth-test-${randomBytes(4).toString('hex')}`;
const folder = `/run/berth/files/${name}`;

describe.skipIf(!hasEngine)('files of a container on a real engine (needs root and dockerd)', () => {
  let subject: RealEngine;
  beforeAll(async () => {
    subject = await realEngine([IMAGE]);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await subject?.stop();
  });

  it('are there when its process starts, for its user alone, and no value is on the disk or in what the engine says', async () => {
    const { engine, directory } = subject;
    const canary = `canary-${randomBytes(16).toString('hex')}`;
    const tables = memoryTables();
    const current = new Secret(randomBytes(32).toString('base64'));
    const secrets = serviceSecrets(
      tables,
      blobSecrets(memoryBlobs(), { current, previous: undefined }),
      () => new Date(),
    );
    const ports = { stores: stores(tables), secrets };
    await secrets.set({ ...owner, name: 'password' }, Buffer.from(canary));
    const { services } = await keepContents(
      ports.stores.configs,
      ApplicationSpec.parse({
        name: 'shop',
        services: {
          web: {
            image: 'shop/web',
            user: '1000:1000',
            readOnly: true,
            configs: [{ config: 'a.conf', target: '/etc/app/a.conf' }],
            secrets: [{ secret: 'password', env: 'PASSWORD_FILE' }],
          },
        },
        configs: { 'a.conf': { content: 'colour=blue\n' } },
      }),
    );
    const [web] = Object.values(services);
    const request: ContainerRequest = {
      name,
      image: IMAGE,
      command: [
        '/bin/sh',
        '-c',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
        'read -r conf < /etc/app/a.conf; read -r pw < "$PASSWORD_FILE"; echo "$conf $PASSWORD_FILE ${#pw}"; [ "$pw" = "$0" ] && echo same; (echo x > "$PASSWORD_FILE") 2>&1; while read -r a b c; do case "$b" in /run/secrets/*) echo "$c";; esac; done < /proc/mounts; exit 0',
        canary.replace('canary', 'known'),
      ],
      environment: {},
      labels: { 'berth.environment': 'dev' },
      cpu: 0.1,
      memory: 64,
      publish: undefined,
      stopGrace: 1,
      options: { user: '1000:1000', readOnly: true },
    };
    const whole = await withFiles(ports, engine, owner, web ?? {}, request);
    const id = await startContainer(engine, whole);
    expect(await engine.wait(id)).toEqual({ exitCode: 0 });
    const lines: string[] = [];
    for await (const { text } of engine.logs(id, {})) lines.push(text);
    expect(lines[0]).toBe(`colour=blue /run/secrets/password ${canary.length}`);
    expect(lines.join('\n')).toContain('Read-only file system');
    expect(lines.at(-1)).toMatch(/^[a-z0-9]+ ro,/);
    expect(statSync(`${folder}/own`).mode & 0o777).toBe(0o700);
    expect(statSync(`${folder}/own/1`)).toMatchObject({ uid: 1000, gid: 1000 });
    expect(statSync(`${folder}/own/1`).mode & 0o777).toBe(0o400);
    expect((await engine.list(['berth.environment'])).map((one) => one.name)).toEqual([name]);
    // Everything that the engine wrote, what it would say of the container among it.
    const found = execFileSync('sh', ['-c', 'grep -rlF -- "$1" "$0" || true', directory, canary], {
      encoding: 'utf8',
    });
    expect(found).toBe('');
    await engine.remove(id);
    expect(existsSync(folder)).toBe(true);
  });
});
