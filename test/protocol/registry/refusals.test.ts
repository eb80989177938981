import { beforeAll, expect, test } from 'vitest';
import { ORIGIN } from '../../support/registry-client.ts';
import { differences } from '../../support/registry-state.ts';
import { bearer, type Stocked, stocked } from './malformed/stocked.ts';

/** What bad input gets: the specification's code and status, and nothing is changed. One registry for all of it. */
let registry: Stocked;
let upload: string;
beforeAll(async () => {
  registry = await stocked();
  upload = await registry.upload();
});

const zeros = '0'.repeat(64);
const missing = `sha256:${zeros}`;
const descriptor = (digest: string) => ({ mediaType: 'application/octet-stream', digest, size: 1 });
const type = 'application/vnd.oci.image.manifest.v1+json';
const manifest = (fields: object) =>
  JSON.stringify({ schemaVersion: 2, config: descriptor(missing), layers: [], ...fields });

const put = (body: string, mediaType = type) => ({ body, headers: { 'content-type': mediaType } });

const names: [string, string][] = [
  ['upper case', 'A/b'],
  ['256 characters', 'a'.repeat(256)],
  ['an empty part', 'a//b'],
  ['traversal', '..%2f..%2fetc'],
  ['a zero byte', 'a%00b'],
  ['an encoding that is none', '%zz'],
];

test.each<[string, string, string, { body?: string; headers?: Record<string, string> }, number, string]>([
  ...names.map(([what, name]): [string, string, string, object, number, string] => [
    `a name: ${what}`,
    'GET',
    `${name}/tags/list`,
    {},
    400,
    'NAME_INVALID',
  ]),
  ['a name that is not there', 'GET', 'x/y/tags/list', {}, 404, 'NAME_UNKNOWN'],
  ['a number that is none', 'GET', 'a/b/tags/list?n=-1', {}, 400, 'PAGINATION_NUMBER_INVALID'],
  ['a digest that is none', 'GET', 'a/b/blobs/sha256:00', {}, 400, 'DIGEST_INVALID'],
  ['a blob that is not there', 'GET', `a/b/blobs/${missing}`, {}, 404, 'BLOB_UNKNOWN'],
  ['a blob that is not there, deleted', 'DELETE', `a/b/blobs/${missing}`, {}, 404, 'BLOB_UNKNOWN'],
  ['a manifest that is not there', 'GET', 'a/b/manifests/none', {}, 404, 'MANIFEST_UNKNOWN'],
  [
    'a manifest that is not there, deleted',
    'DELETE',
    `a/b/manifests/${missing}`,
    {},
    404,
    'MANIFEST_UNKNOWN',
  ],
  [
    'a manifest with another digest',
    'PUT',
    `a/b/manifests/${missing}`,
    put(manifest({})),
    400,
    'DIGEST_INVALID',
  ],
  [
    'a manifest whose blob is missing',
    'PUT',
    'a/b/manifests/x',
    put(manifest({})),
    404,
    'MANIFEST_BLOB_UNKNOWN',
  ],
  [
    'an index whose manifest is missing',
    'PUT',
    'a/b/manifests/x',
    put(
      JSON.stringify({ schemaVersion: 2, manifests: [descriptor(missing)] }),
      'application/vnd.oci.image.index.v1+json',
    ),
    404,
    'MANIFEST_BLOB_UNKNOWN',
  ],
  ['a manifest that is no JSON', 'PUT', 'a/b/manifests/x', put('{'), 400, 'MANIFEST_INVALID'],
  [
    'a manifest of schema 1',
    'PUT',
    'a/b/manifests/x',
    put('{"schemaVersion":1,"fsLayers":[]}', 'application/vnd.docker.distribution.manifest.v1+prettyjws'),
    400,
    'MANIFEST_INVALID',
  ],
  [
    'a tag that is none',
    'PUT',
    'a/b/manifests/-x',
    put(manifest({ config: undefined })),
    400,
    'MANIFEST_INVALID',
  ],
  [
    'an upload that is not there',
    'PATCH',
    `a/b/blobs/uploads/${crypto.randomUUID()}`,
    { body: 'x' },
    404,
    'BLOB_UPLOAD_UNKNOWN',
  ],
  ['an upload id that is none', 'GET', 'a/b/blobs/uploads/..%2fdata', {}, 404, 'NAME_UNKNOWN'],
  ['an upload of another repository', 'GET', 'c/d/blobs/uploads/UPLOAD', {}, 404, 'BLOB_UPLOAD_UNKNOWN'],
  [
    'a chunk out of order',
    'PATCH',
    'a/b/blobs/uploads/UPLOAD',
    { body: 'x', headers: { 'content-range': '5-5' } },
    416,
    'RANGE_INVALID',
  ],
  [
    'a range that is none',
    'PATCH',
    'a/b/blobs/uploads/UPLOAD',
    { body: 'x', headers: { 'content-range': 'a-b' } },
    400,
    'RANGE_INVALID',
  ],
  [
    'a chunk shorter than it says',
    'PATCH',
    'a/b/blobs/uploads/UPLOAD',
    { body: 'x', headers: { 'content-range': '10-20' } },
    400,
    'SIZE_INVALID',
  ],
  ['an end without a digest', 'PUT', 'a/b/blobs/uploads/UPLOAD', {}, 400, 'DIGEST_INVALID'],
  [
    'an end with a wrong digest',
    'PUT',
    `a/b/blobs/uploads/UPLOAD?digest=${missing}`,
    {},
    400,
    'DIGEST_INVALID',
  ],
  [
    'a whole blob with a wrong digest',
    'POST',
    `a/b/blobs/uploads/?digest=${missing}`,
    { body: 'x' },
    400,
    'DIGEST_INVALID',
  ],
  ['an algorithm that is none', 'POST', 'a/b/blobs/uploads/?digest-algorithm=md5', {}, 400, 'DIGEST_INVALID'],
  ['a method that is none', 'POST', 'a/b/tags/list', {}, 405, 'UNSUPPORTED'],
  ['a path that is none', 'GET', 'a/b/nothing', {}, 404, 'NAME_UNKNOWN'],
])('%s', async (_what, method, path, init, status, code) => {
  const before = await registry.dump();
  const answer = await registry.handle(
    new Request(`${ORIGIN}/v2/${path.replace('UPLOAD', upload)}`, {
      method,
      body: init.body ?? null,
      headers: { authorization: await bearer('a/b', 'c/d', 'x/y'), ...init.headers },
    }),
  );
  expect([answer.status, await answer.json()]).toMatchObject([status, { errors: [{ code }] }]);
  expect(differences(before, await registry.dump())).toEqual([]);
});
