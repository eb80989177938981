import { RestError } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';
import { BlobConflict } from '../../../shared/state/blobs.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { Conflict } from '../../../shared/state/tables.ts';
import { testImage } from '../../support/oci-image.ts';
import { registryClient } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';

/** A push of a manifest whose every commit fails so, however often it is tried. */
async function pushWhile(failure: Error) {
  const [blobs, tables] = [memoryBlobs(), memoryTables()];
  const image = testImage([Buffer.from('layer')]);
  const whole = registryClient((await testRegistry({ blobs, tables })).handle);
  for (const blob of image.blobs) await whole.pushBlob('a/b', blob);
  const failing: typeof tables = {
    ...tables,
    commit: async () => {
      throw failure;
    },
  };
  const registry = await testRegistry({ blobs, tables: failing }, { pause: async () => {} });
  const answer = await registryClient(registry.handle).pushManifest('a/b', 'v1', image.manifest);
  return { answer, reports: registry.reports };
}

test.each<[string, Error, string]>([
  ['a row that others change each time', new Conflict('changed', 'registry/a'), 'others changed'],
  ['a blob that others change each time', new BlobConflict('uploads/a'), 'others changed'],
  ['a lease', new RestError('leased', { statusCode: 409, code: 'LeaseIdMissing' }), 'others changed'],
  ['a condition', new RestError('condition', { statusCode: 412 }), 'others changed'],
  ['a storage that is busy', new RestError('busy', { statusCode: 503 }), 'the storage is busy'],
  ['a storage that limits us', new RestError('limited', { statusCode: 429 }), 'the storage is busy'],
  ['a storage that is away', new RestError('refused', { code: 'REQUEST_SEND_ERROR' }), 'does not answer'],
])('%s is told as what may pass, and when to ask again', async (_what, failure, words) => {
  const { answer, reports } = await pushWhile(failure);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await answer.json()).toEqual({
    errors: [{ code: 'UNAVAILABLE', message: expect.stringContaining(words) }],
  });
  expect(reports).toContain(failure);
});

test.each<[string, Error]>([
  ['a request that storage does not take', new RestError('malformed', { statusCode: 400 })],
  ['a right that is missing', new RestError('forbidden', { statusCode: 403 })],
  ['what is not known', new Error('secret-words')],
])('%s is a fault of ours, of which nothing is said', async (_what, failure) => {
  const { answer } = await pushWhile(failure);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([500, null]);
  expect(await answer.text()).not.toContain(failure.message);
});
