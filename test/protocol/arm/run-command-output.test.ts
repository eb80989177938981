import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guestOf, isOver } from '../../../infra/local/arm/run-command/guest.ts';
import { memoryMachineRuntime } from '../../../infra/local/machine-runtime/machine-runtime.memory.ts';
import { azureRunLogs } from '../../../shared/machines/run/run-logs.azure.ts';
import type { RunLogs } from '../../../shared/machines/run/run-logs.ts';
import { until } from '../../support/conditions.ts';
import { programsIn } from '../../support/machine-programs.ts';
import { startTestStorage, type TestStorage } from '../../support/storage.ts';

describe('output of scripts in blobs', () => {
  let storage: TestStorage;
  let folder: string;
  let logs: RunLogs;
  let guest: ReturnType<typeof guestOf>;
  beforeAll(async () => {
    storage = await startTestStorage();
    folder = mkdtempSync(join(tmpdir(), 'berth-output-'));
    logs = azureRunLogs(storage.blobUri, storage.credential);
    const trust = { SSL_CERT_FILE: storage.environment['NODE_EXTRA_CA_CERTS'] ?? '' };
    const runtime = memoryMachineRuntime(programsIn(folder, trust));
    await runtime.create({
      name: 'vm',
      address: '10.77.0.4',
      image: { kind: 'marketplace', reference: 'Debian:debian-13:13-gen2:latest' },
      customData: '',
      cores: 1,
      memory: 1024,
      adminUser: '',
      sshKeys: [],
      inboundRules: [],
    });
    guest = guestOf(runtime);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await storage?.stop();
  });
  const begin = async (name: string, script: string) => {
    const at = `/var/lib/waagent/run-command-handler/download/${name}/1`;
    await guest.start('vm', at, {
      log: '/var/log/handler.log',
      timeout: 60,
      script: Buffer.from(script).toString('base64'),
      stdoutBlob: { uri: await logs.writeUrl(`${name}/stdout`, 600) },
      stderrBlob: { uri: await logs.writeUrl(`${name}/stderr`, 600) },
    });
    return at;
  };
  const text = async (name: string) => Buffer.from((await logs.read(name, 0, 10_000_000)).bytes).toString();
  const ended = (at: string) =>
    until('it has ended', async () => {
      const state = await guest.state('vm', at);
      return isOver(state) ? state : undefined;
    });

  it('is there while the script runs, and whole when it has ended', async () => {
    const at = await begin(
      'one',
      `echo first; until [ -e ${folder}/go ]; do sleep 0.05; done; seq 1 200000; echo oh >&2; exit 3`,
    );
    await until('the first line is there', async () => (await text('one/stdout')) === 'first\n');
    writeFileSync(join(folder, 'go'), '');
    expect(await ended(at)).toMatchObject({ state: 'Failed', exitCode: 3 });
    const all = await text('one/stdout');
    expect(all.length).toBe('first\n'.length + 1_288_895);
    expect(all.endsWith('\n199999\n200000\n')).toBe(true);
    expect(await text('one/stderr')).toBe('oh\n');
  });

  it('a blob that cannot be made is the end, before anything ran', async () => {
    const at = '/var/lib/waagent/run-command-handler/download/two/1';
    const uri = (await logs.writeUrl('two/stdout', 600)).replace(/sig=[^&]+/, 'sig=AAAA');
    const script = Buffer.from(`touch ${folder}/ran`).toString('base64');
    await guest.start('vm', at, { log: '/var/log/handler.log', timeout: 60, script, stdoutBlob: { uri } });
    const state = await ended(at);
    expect(state).toMatchObject({ state: 'Failed', exitCode: -1 });
    expect(state.message).toContain('Error creating AppendBlob');
    expect(state.message).not.toContain('sig=');
    expect(await logs.read('two/stdout', 0, 1)).toMatchObject({ size: 0 });
  });

  it('a blob that was sealed meanwhile: the script goes on, and its end says so', async () => {
    const at = await begin('three', `echo a; until [ -e ${folder}/sealed ]; do sleep 0.05; done; echo b`);
    await until('the first line is there', async () => (await text('three/stdout')) === 'a\n');
    await logs.seal('three/stdout');
    writeFileSync(join(folder, 'sealed'), '');
    const state = await ended(at);
    expect(state).toMatchObject({ state: 'Succeeded', exitCode: 0, output: 'a\nb\n' });
    expect(state.message).toContain('output could not be written');
    expect(await text('three/stdout')).toBe('a\n');
  });
});
