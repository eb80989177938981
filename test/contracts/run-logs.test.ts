import { AnonymousCredential, AppendBlobClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { azureRunLogs } from '../../shared/machines/run/run-logs.azure.ts';
import { memoryRunLogs } from '../../shared/machines/run/run-logs.memory.ts';
import type { RunLogs } from '../../shared/machines/run/run-logs.ts';
import { startTestStorage, type TestStorage } from '../support/storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await startTestStorage();
});
afterAll(() => storage?.stop());

describe.each<{
  name: string;
  make: () => { logs: RunLogs; append: (blob: string, text: string) => Promise<void> };
}>([
  {
    name: 'memory',
    make() {
      const logs = memoryRunLogs();
      return { logs, append: async (blob, text) => logs.append(blob, text) };
    },
  },
  {
    name: 'Azurite',
    make() {
      const logs = azureRunLogs(storage.blobUri, storage.credential);
      return {
        logs,
        // As a machine does, which has the address alone.
        async append(blob, text) {
          const client = new AppendBlobClient(await logs.writeUrl(blob, 600), new AnonymousCredential());
          await client.createIfNotExists();
          await client.appendBlock(text, Buffer.byteLength(text));
        },
      };
    },
  },
])('run logs: $name', ({ make }) => {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

  it('are read from any byte on while they grow; what is not there yet is empty', async () => {
    const { logs, append } = make();
    expect(await logs.read('r1/stdout', 0, 100)).toMatchObject({ size: 0 });
    await append('r1/stdout', 'first ');
    expect(text((await logs.read('r1/stdout', 0, 100)).bytes)).toBe('first ');
    expect((await logs.read('r1/stdout', 6, 100)).bytes).toHaveLength(0);
    await append('r1/stdout', 'second');
    const { bytes, size } = await logs.read('r1/stdout', 6, 3);
    expect([text(bytes), size]).toEqual(['sec', 12]);
  });

  it('take nothing any more once they are sealed, and can be removed', async () => {
    const { logs, append } = make();
    await append('r2.a/stdout', 'x');
    await append('r2.b/stdout', 'y');
    await logs.seal('r2.a/stdout');
    await logs.seal('r2.a/stdout');
    await logs.seal('r2.a/stderr');
    await expect(append('r2.a/stdout', 'more')).rejects.toThrow();
    expect(text((await logs.read('r2.a/stdout', 0, 10)).bytes)).toBe('x');
    await logs.remove('r2.a/');
    expect((await logs.read('r2.a/stdout', 0, 10)).size).toBe(0);
    expect((await logs.read('r2.b/stdout', 0, 10)).size).toBe(1);
  });
});
