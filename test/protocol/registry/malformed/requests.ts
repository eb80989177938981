import { randomUUID } from 'node:crypto';
import fc, { type Arbitrary } from 'fast-check';
import { type Content, descriptor } from '../../../support/oci-image.ts';
import type { Stocked } from './stocked.ts';

/** One mutated request; what is undefined is left out. */
export interface Mutated {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  /** The body breaks off after these bytes. */
  readonly cut: boolean;
}

export interface Route {
  readonly name: string;
  readonly method: string;
  /** What of a request goes where; `upload` is one that is under way. */
  request(stocked: Stocked, upload: string): Arbitrary<Mutated>;
}

const text = (maxLength: number) => fc.string({ unit: 'binary', maxLength });
const mostly = <T>(right: Arbitrary<T>, wrong: Arbitrary<T>): Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: right }, { weight: 2, arbitrary: wrong });

/** As it stands in a path: encoded, or as malicious clients write it. */
const names = mostly(
  fc.constant('a/b'),
  fc.oneof(
    fc.constantFrom(
      ...['..', '../..', 'a/../b', 'a/./b', '%2e%2e/b', 'a/%2e%2e', '..%2f..%2fetc', 'a%2Fb', 'a%00b', '%zz'],
      ...['A/B', 'a//b', '/a', 'a/', '-a', 'a_', '.a', 'a..b', 'a___b', 'ä', 'a b', 'a%20b', '%ff', '٣'],
      ...['_catalog', 'v2', 'token', 'blobs', 'a/blobs/uploads', 'a/manifests/x', 'a/tags/list', '__proto__'],
      ...['a'.repeat(255), 'a'.repeat(256), 'a/'.repeat(130).slice(0, -1), 'a'.repeat(8000), 'x/y', 'a/b/c'],
    ),
    text(300).map(encodeURIComponentOr),
    text(40),
  ),
);

const digests = ({ image }: Stocked): Arbitrary<string> =>
  mostly(
    fc.constantFrom(image.manifest.digest, ...image.blobs.map(({ digest }) => digest)),
    fc.oneof(
      fc.constantFrom(
        ...['', 'sha256', 'sha256:', ':', `sha256:${'0'.repeat(64)}`, `sha512:${'0'.repeat(128)}`],
        ...[`sha256:${'0'.repeat(63)}`, `sha256:${'0'.repeat(65)}`, `sha256:${'A'.repeat(64)}`],
        ...[`SHA256:${'a'.repeat(64)}`, `sha512:${'0'.repeat(64)}`, `sha384:${'0'.repeat(96)}`, 'md5:00'],
        ...[`sha256:${'g'.repeat(64)}`, `sha256:../../${'a'.repeat(58)}`, `sha256%3A${'0'.repeat(64)}`],
      ),
      text(100).map(encodeURIComponentOr),
    ),
  );
const references = (stocked: Stocked): Arbitrary<string> =>
  fc.oneof(
    digests(stocked),
    mostly(
      fc.constant('latest'),
      fc.constantFrom(
        '',
        '.',
        '..',
        '-x',
        'ä',
        'a b',
        'x'.repeat(128),
        'x'.repeat(129),
        '%00',
        'a:b',
        '~',
        '%',
      ),
    ),
  );
const uploads = (upload: string): Arbitrary<string> =>
  mostly(
    fc.constant(upload),
    fc.oneof(
      fc.constantFrom(
        '',
        '..',
        '%2e%2e%2fdata',
        upload.toUpperCase(),
        `${upload}0`,
        randomUUID(),
        'undefined',
      ),
      text(60).map(encodeURIComponentOr),
    ),
  );

const query = (stocked: Stocked, names: readonly string[]): Arbitrary<string> =>
  fc
    .array(
      fc.tuple(
        mostly(fc.constantFrom(...names, 'n'), text(20)),
        fc.oneof(
          digests(stocked),
          fc.constantFrom(
            'a/b',
            'A',
            'sha256',
            'sha512',
            'md5',
            '0',
            '1',
            '-1',
            '1e9',
            '99999999999999999999',
          ),
          text(200).map(encodeURIComponentOr),
        ),
      ),
      { maxLength: 4 },
    )
    .map((pairs) =>
      pairs.length === 0 ? '' : `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`,
    );

const lengths = fc.constantFrom('0', '1', '-1', 'abc', '1e3', '99999999999', '18446744073709551616');
const ranges = fc.oneof(
  fc.constantFrom(
    ...['0-9', 'bytes=0-9', 'bytes 0-9/10', '0-', '-1', '9-0', '10-19', '0-99999999999999999999', 'a-b', ''],
    ...['bytes=0-0,2-3', 'bytes=-0', 'bytes=99999999-', 'items=0-1', '0-9/*', '٠-٩'],
  ),
  fc.tuple(fc.nat(200), fc.nat(200)).map(([from, to]) => `${from}-${to}`),
);
const types = (stocked: Stocked): Arbitrary<string> =>
  mostly(
    fc.constantFrom(stocked.image.manifest.mediaType, stocked.index.mediaType),
    fc.constantFrom(
      'application/vnd.docker.distribution.manifest.v1+json',
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      'application/vnd.docker.distribution.manifest.v2+json',
      'application/vnd.oci.image.manifest.v1+json; charset=utf-16',
      'Application/VND.oci.image.MANIFEST.v1+JSON',
      'application/json',
      '*/*',
      '',
      ';',
    ),
  );
const headers = (stocked: Stocked): Arbitrary<Record<string, string>> =>
  fc.record(
    {
      'content-type': types(stocked),
      'content-range': ranges,
      range: ranges,
      'content-length': lengths,
      'content-encoding': fc.constantFrom('gzip', 'identity', 'br'),
      accept: types(stocked),
      authorization: fc.constantFrom('Basic eDp5', 'Basic', 'Bearer', 'Bearer a.b.c', 'Digest x', '٣'),
      'x-forwarded-for': fc.constantFrom('1.2.3.4', 'x', '::1, 5.6.7.8', ','),
    },
    { requiredKeys: [] },
  );

/** Of a request that is not about its headers. */
const fewHeaders = (stocked: Stocked): Arbitrary<Record<string, string>> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: headers(stocked) });

const blobBodies = ({ image }: Stocked): Arbitrary<Uint8Array> =>
  mostly(
    fc.constantFrom(...image.blobs.map(({ bytes }) => bytes)),
    fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constant(new Uint8Array(70_000))),
  );

const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const jsonValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('', -1, 0.5, 1e308, null, [], {}, '__proto__', [[]], 2 ** 53),
);

/** Manifests that were once right: a part is replaced, left out or repeated, or they are another thing altogether. */
const manifestBodies = ({ image, index }: Stocked): Arbitrary<Uint8Array> => {
  const known = [...image.blobs, image.manifest, index].map(descriptor);
  const unknown = { ...known[0], digest: `sha256:${'1'.repeat(64)}` };
  const descriptors = fc.oneof(
    fc.constantFrom(...known, unknown),
    fc
      .tuple(
        fc.constantFrom(...known),
        fc.dictionary(fc.constantFrom('digest', 'size', 'mediaType'), jsonValue),
      )
      .map(([right, wrong]) => ({ ...right, ...wrong })),
    jsonValue,
  );
  const mutated = (content: Content) =>
    fc
      .dictionary(
        fc.constantFrom(
          'schemaVersion',
          'mediaType',
          'config',
          'layers',
          'manifests',
          'subject',
          'annotations',
          'artifactType',
        ),
        fc.oneof(
          jsonValue,
          descriptors,
          fc.array(descriptors, { maxLength: 4 }),
          fc.dictionary(fc.string(), jsonValue),
          fc.constant(undefined),
        ),
        { maxKeys: 3 },
      )
      .map((parts) => encode({ ...JSON.parse(Buffer.from(content.bytes).toString()), ...parts }));
  const schema1 = {
    schemaVersion: 1,
    name: 'a/b',
    tag: 'latest',
    architecture: 'amd64',
    fsLayers: [{ blobSum: image.blobs[0]?.digest }],
    history: [{ v1Compatibility: '{}' }],
    signatures: [],
  };
  const right = Buffer.from(image.manifest.bytes);
  return mostly(
    fc.oneof(mutated(image.manifest), mutated(index)),
    fc.oneof(
      fc.constantFrom<Uint8Array>(
        ...[right, Buffer.from(index.bytes), Buffer.alloc(0), encode(schema1), encode(null), encode([])],
        ...[right.subarray(0, -1), Buffer.concat([right, right]), Buffer.from(`\ufeff${right}`)],
        ...[Buffer.from(right.toString(), 'utf16le'), Buffer.from('{"schemaVersion":2,"schemaVersion":1}')],
        ...[
          Buffer.from([0xff, 0xfe, 0x00]),
          Buffer.from('['.repeat(20_000)),
          Buffer.from('{"a":'.repeat(9_000)),
        ],
        Buffer.from(`${right.toString().slice(0, -1)},"annotations":{"__proto__":"x","constructor":"y"}}`),
      ),
      text(300).map((bad) => Buffer.from(bad)),
    ),
  );
};

/** The parts of a request that its route leaves open. */
const parts = (
  path: Arbitrary<string>,
  heads: Arbitrary<Record<string, string>>,
  bodies?: Arbitrary<Uint8Array>,
): Arbitrary<Mutated> =>
  fc.record({
    path,
    headers: heads,
    body: bodies === undefined ? fc.constant(undefined) : fc.option(bodies, { nil: undefined, freq: 9 }),
    cut: bodies === undefined ? fc.constant(false) : fc.integer({ max: 9, min: 0 }).map((of10) => of10 === 0),
  });
const under = (...segments: (Arbitrary<string> | string)[]): Arbitrary<string> =>
  fc
    .tuple(...segments.map((segment) => (typeof segment === 'string' ? fc.constant(segment) : segment)))
    .map((found) => `/v2/${found.join('')}`);

export const routes: readonly Route[] = [
  ...['GET', 'HEAD'].map(
    (method): Route => ({
      name: 'manifest',
      method,
      request: (stocked) =>
        parts(under(names, '/manifests/', references(stocked), query(stocked, ['tag'])), fewHeaders(stocked)),
    }),
  ),
  {
    name: 'manifest',
    method: 'PUT',
    request: (stocked) =>
      parts(
        under(names, '/manifests/', references(stocked), query(stocked, ['tag', 'tag', 'tag'])),
        fc
          .tuple(types(stocked), fewHeaders(stocked))
          .map(([type, more]) => ({ 'content-type': type, ...more })),
        manifestBodies(stocked),
      ),
  },
  {
    name: 'manifest',
    method: 'DELETE',
    request: (stocked) => parts(under(names, '/manifests/', references(stocked)), fewHeaders(stocked)),
  },
  ...['GET', 'HEAD', 'DELETE'].map(
    (method): Route => ({
      name: 'blob',
      method,
      request: (stocked) =>
        parts(
          under(names, '/blobs/', digests(stocked)),
          fc
            .tuple(fewHeaders(stocked), fc.option(ranges, { nil: undefined }))
            .map(([more, range]) => (range === undefined ? more : { ...more, range })),
        ),
    }),
  ),
  {
    name: 'uploads',
    method: 'POST',
    request: (stocked) =>
      parts(
        under(
          names,
          fc.constantFrom('/blobs/uploads/', '/blobs/uploads'),
          query(stocked, ['digest', 'mount', 'from', 'digest-algorithm']),
        ),
        fewHeaders(stocked),
        blobBodies(stocked),
      ),
  },
  ...['GET', 'DELETE'].map(
    (method): Route => ({
      name: 'upload',
      method,
      request: (stocked, upload) =>
        parts(under(names, '/blobs/uploads/', uploads(upload)), fewHeaders(stocked)),
    }),
  ),
  ...['PATCH', 'PUT'].map(
    (method): Route => ({
      name: 'upload',
      method,
      request: (stocked, upload) =>
        parts(
          under(names, '/blobs/uploads/', uploads(upload), query(stocked, ['digest', 'digest'])),
          fc
            .tuple(fewHeaders(stocked), fc.option(ranges, { nil: undefined }))
            .map(([more, range]) => (range === undefined ? more : { ...more, 'content-range': range })),
          blobBodies(stocked),
        ),
    }),
  ),
  {
    name: 'tags',
    method: 'GET',
    request: (stocked) =>
      parts(under(names, '/tags/list', query(stocked, ['n', 'last'])), fewHeaders(stocked)),
  },
  {
    name: 'referrers',
    method: 'GET',
    request: (stocked) =>
      parts(
        under(names, '/referrers/', digests(stocked), query(stocked, ['artifactType', 'last'])),
        fewHeaders(stocked),
      ),
  },
  {
    name: 'catalog',
    method: 'GET',
    request: (stocked) => parts(under('_catalog', query(stocked, ['n', 'last'])), fewHeaders(stocked)),
  },
  {
    name: 'base and what is no resource',
    method: 'GET',
    request: (stocked) => parts(under(fc.oneof(fc.constant(''), names, text(100))), headers(stocked)),
  },
  {
    name: 'any resource',
    method: 'POST',
    request: (stocked) =>
      parts(
        under(
          names,
          fc.constantFrom('/manifests/latest', '/tags/list', '/blobs/x', ''),
          query(stocked, ['n']),
        ),
        headers(stocked),
        manifestBodies(stocked),
      ),
  },
  {
    name: 'token',
    method: 'GET',
    request: (stocked) =>
      parts(under('token', query(stocked, ['scope', 'service', 'account'])), headers(stocked)),
  },
  {
    name: 'token',
    method: 'POST',
    request: (stocked) =>
      parts(
        under('token', query(stocked, ['scope'])),
        headers(stocked),
        fc.oneof(
          text(300).map((bad) => Buffer.from(bad)),
          fc
            .dictionary(
              fc.constantFrom('grant_type', 'username', 'password', 'refresh_token', 'access_token', 'scope'),
              fc.oneof(fc.constantFrom('password', 'refresh_token', 'x', 'repository:a/b:pull'), text(50)),
            )
            .map((form) => Buffer.from(new URLSearchParams(form).toString())),
          fc.constant(Buffer.alloc(70_000, 'a=')),
        ),
      ),
  },
];

/** Lone surrogates cannot be encoded; they stay as they are. */
function encodeURIComponentOr(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    return value;
  }
}
