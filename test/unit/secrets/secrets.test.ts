import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../shared/secrets/secret.ts';
import { blobSecrets } from '../../../shared/secrets/secrets.blobs.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';

const key = (fill: number) => new Secret(Buffer.alloc(32, fill).toString('base64'));
const first = { current: key(1), previous: undefined };
const value = new TextEncoder().encode('correct horse');

describe('secrets', () => {
  it('are read as they were sealed, and absent ones are undefined', async () => {
    const secrets = blobSecrets(memoryBlobs(), first);
    await secrets.seal('hooks/github', value);
    expect(await secrets.open('hooks/github')).toEqual(value);
    expect(await secrets.open('hooks/other')).toBeUndefined();
    await secrets.remove('hooks/github');
    expect(await secrets.open('hooks/github')).toBeUndefined();
  });

  it('do not lie in the blob', async () => {
    const blobs = memoryBlobs();
    await blobSecrets(blobs, first).seal('name', value);
    const stored = Buffer.from((await blobs.read('name'))!.bytes);
    expect(stored.includes(Buffer.from(value))).toBe(false);
  });

  it('are the same for instances that make one at the same time', async () => {
    const blobs = memoryBlobs();
    const made = await Promise.all(
      [1, 2, 3].map((fill) =>
        blobSecrets(blobs, first).ensure('token-key', async () => new Uint8Array(8).fill(fill)),
      ),
    );
    expect(made[1]).toEqual(made[0]);
    expect(made[2]).toEqual(made[0]);
  });

  it('cannot be put in the place of another', async () => {
    const blobs = memoryBlobs();
    const secrets = blobSecrets(blobs, first);
    await secrets.seal('mine', value);
    await blobs.put('yours', (await blobs.read('mine'))!.bytes);
    await expect(secrets.open('yours')).rejects.toMatchObject({ code: 'secret-unreadable' });
  });

  it('are sealed anew by the current key when the previous one opened them', async () => {
    const blobs = memoryBlobs();
    await blobSecrets(blobs, first).seal('name', value);
    expect(await blobSecrets(blobs, { current: key(2), previous: key(1) }).open('name')).toEqual(value);
    expect(await blobSecrets(blobs, { current: key(2), previous: undefined }).open('name')).toEqual(value);
    await expect(blobSecrets(blobs, first).open('name')).rejects.toMatchObject({ code: 'secret-unreadable' });
  });

  it.each(['', '../up', '/root', 'a//b', 'a b', '.hidden'])('have no name %j', async (name) => {
    const secrets = blobSecrets(memoryBlobs(), first);
    await expect(secrets.seal(name, value)).rejects.toMatchObject({ code: 'secret-name-invalid' });
  });
});

describe('a secret value', () => {
  it('shows nothing of itself', () => {
    const secret = new Secret('hunter2');
    const shown = [`${secret}`, JSON.stringify({ secret }), inspect(secret), inspect({ secret })];
    for (const text of shown) expect(text).not.toContain('hunter2');
    expect(secret.reveal()).toBe('hunter2');
  });
});
