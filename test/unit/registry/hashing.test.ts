import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { digestOfBytes, nativeHashing, savableHashing } from '../../../shared/registry/hashing.ts';

test.each(['sha256', 'sha512'] as const)(
  '%s goes on from what was saved, wherever it was cut',
  async (algorithm) => {
    const bytes = randomBytes(1000);
    for (const cut of [0, 1, 63, 64, 127, 128, 500, 1000]) {
      const first = await savableHashing(algorithm);
      first!.update(bytes.subarray(0, cut));
      const second = await savableHashing(algorithm, first!.save());
      second!.update(bytes.subarray(cut));
      expect(second!.digest()).toBe(digestOfBytes(algorithm, bytes));
    }
  },
);

test('a digest in between does not end the hash', async () => {
  for (const hashing of [nativeHashing('sha256'), (await savableHashing('sha256'))!]) {
    hashing.update(Buffer.from('a'));
    expect(hashing.digest()).toBe(digestOfBytes('sha256', Buffer.from('a')));
    hashing.update(Buffer.from('b'));
    expect(hashing.digest()).toBe(digestOfBytes('sha256', Buffer.from('ab')));
  }
});

test('a state of another build is not gone on with', async () => {
  expect(await savableHashing('sha256', Buffer.from('another state').toString('base64'))).toBeUndefined();
});
