import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Terminal } from '../../../shared/model/errors.ts';
import { foreignText, parseForeignReference } from '../../../shared/model/foreign-reference.ts';
import { RegistryAddress } from '../../../shared/model/registry-address.ts';
import { parseChallenges } from '../../../shared/registry/upstream/challenge.ts';
import { linkedPath } from '../../../shared/registry/upstream/linked-path.ts';

const HEX = 'a'.repeat(64);

describe('images of other registries', () => {
  test.each([
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['bitnami/redis', 'docker.io/bitnami/redis:latest'],
    ['docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['registry-1.docker.io/nginx:1', 'docker.io/library/nginx:1'],
    ['index.docker.io/library/nginx', 'docker.io/library/nginx:latest'],
    ['ghcr.io/owner/app/web:v1', 'ghcr.io/owner/app/web:v1'],
    ['localhost/app:1', 'localhost/app:1'],
    ['127.0.0.1:5000/app', '127.0.0.1:5000/app:latest'],
    [`quay.io/a/b@sha256:${HEX}`, `quay.io/a/b@sha256:${HEX}`],
    [`quay.io/a/b:1@sha256:${HEX}`, `quay.io/a/b:1@sha256:${HEX}`],
  ])('%s is %s', (text, expected) => {
    expect(foreignText(parseForeignReference(text))).toBe(expected);
  });

  test.each([
    '',
    'Nginx',
    'a b',
    'ghcr.io/',
    'ghcr.io/a:b:c',
    'ghcr.io/a@sha256:12',
    '../x',
    'evil host.io/a',
    'u@h.io/a',
  ])('"%s" is refused', (text) => expect(() => parseForeignReference(text)).toThrow(Terminal));

  test('any text is an image or a clear refusal', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          return foreignText(parseForeignReference(text)).length > 0;
        } catch (error) {
          return error instanceof Terminal;
        }
      }),
    );
  });
});

describe('challenges', () => {
  test.each([
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull,push"',
      [
        [
          'bearer',
          'https://auth.docker.io/token',
          'registry.docker.io',
          'repository:library/nginx:pull,push',
        ],
      ],
    ],
    [
      'Basic realm="https://1.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com"',
      [['basic', 'https://1.dkr.ecr.eu-west-1.amazonaws.com/', 'ecr.amazonaws.com', undefined]],
    ],
    [
      'bearer realm=https://a.example/t, Basic realm="x \\"y\\""',
      [
        ['bearer', 'https://a.example/t', undefined, undefined],
        ['basic', 'x "y"', undefined, undefined],
      ],
    ],
    [
      'Negotiate, Basic realm="r"',
      [
        ['negotiate', undefined, undefined, undefined],
        ['basic', 'r', undefined, undefined],
      ],
    ],
  ])('%s', (header, expected) => {
    const found = parseChallenges(header).map(({ scheme, parameters }) => [
      scheme,
      parameters.realm,
      parameters.service,
      parameters.scope,
    ]);
    expect(found).toEqual(expected);
  });

  test('any header ends', () => {
    fc.assert(fc.property(fc.string(), (header) => parseChallenges(header).length >= 0));
  });
});

test.each([
  ['</v2/a/tags/list?n=1&last=b>; rel="next"', '/v2/a/tags/list?n=1&last=b'],
  ['<https://elsewhere.example/v2/a/tags/list?last=b>; rel=next', '/v2/a/tags/list?last=b'],
  ['<?last=b>; rel="next"', '/v2/a/tags/list?last=b'],
  ['</x>; rel="prev"', undefined],
  [undefined, undefined],
])('the page after %s', (header, expected) => {
  expect(linkedPath(header, '/v2/a/tags/list?n=1', 'here')).toBe(expected);
});

test('an address is https, unless http is meant', () => {
  expect(RegistryAddress.parse({ url: 'https://r.example/' }).url).toBe('https://r.example');
  expect(RegistryAddress.safeParse({ url: 'http://r.example' }).success).toBe(false);
  expect(RegistryAddress.safeParse({ url: 'http://r.example', plainHttp: true }).success).toBe(true);
  for (const url of ['ftp://r', 'https://r/path', 'https://user@r', 'r.example', 'https://'])
    expect(RegistryAddress.safeParse({ url }).success, url).toBe(false);
});
