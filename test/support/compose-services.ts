import fc from 'fast-check';

/** Services of compose files in all the forms that their keys may have, two keys or three of them each. */
const word = fc.constantFrom('1', 'two', '', 'a b');
const list = (...items: readonly (string | number)[]) =>
  fc.uniqueArray(fc.constantFrom(...items), { maxLength: 3 });
const some = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [] });
const mapOf = (names: readonly string[], value: fc.Arbitrary<unknown>) =>
  fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 2, noNullPrototype: true });
const time = fc.constantFrom('1s', '1m30s', '500ms', '2h');
const pairs = fc.oneof(
  mapOf(['A', 'B', 'x.y'], fc.oneof(word, fc.integer({ min: 0, max: 99 }), fc.boolean(), fc.constant(null))),
  fc
    .uniqueArray(fc.tuple(fc.constantFrom('A', 'B', 'x.y'), word), {
      maxLength: 3,
      selector: ([name]) => name,
    })
    .map((entries) => entries.map(([name, value]) => `${name}=${value}`)),
);
const port = fc.oneof(
  fc.constantFrom('80', '8080:80', '127.0.0.1:81:80', '53:53/udp', '3000-3002:4000-4002', '[::1]:82:80', 443),
  some({
    published: fc.constantFrom('80', '8080', 9090),
    protocol: fc.constantFrom('tcp', 'udp'),
    mode: fc.constantFrom('host', 'ingress'),
    host_ip: fc.constant('127.0.0.1'),
  }).map((fields) => ({ target: 80, ...fields })),
);
const volume = fc.oneof(
  fc.constantFrom(
    'data:/d',
    'data:/d:ro',
    './x:/x',
    '/srv/a:/a:rw',
    '/anon',
    '~/h:/h',
    'other:/d',
    '/srv/b:/b/',
  ),
  some({ read_only: fc.boolean() }).map((fields) => ({
    type: 'bind',
    source: './z',
    target: '/z',
    ...fields,
  })),
  fc.constant({ type: 'tmpfs', target: '/t', tmpfs: { size: '10m' } }),
);

const keys: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  command: fc.oneof(fc.constantFrom('a b', 'c "d e"', ''), list('x', 'y', 'z')),
  entrypoint: fc.oneof(fc.constantFrom('/e', 'sh -c "a b"'), list('/e', 'f')),
  environment: pairs,
  labels: pairs,
  sysctls: pairs,
  ports: fc.uniqueArray(port, { maxLength: 3, selector: (one) => JSON.stringify(one) }),
  volumes: fc.uniqueArray(volume, { maxLength: 3, selector: (one) => JSON.stringify(one) }),
  expose: list('80', 81, '82/udp', '90-92'),
  dns: fc.oneof(fc.constantFrom('1.1.1.1', '8.8.8.8'), list('1.1.1.1', '8.8.8.8')),
  tmpfs: fc.oneof(fc.constantFrom('/run', '/tmp:size=1m'), list('/run', '/y')),
  cap_add: list('NET_ADMIN', 'SYS_TIME'),
  cap_drop: list('ALL', 'CHOWN'),
  security_opt: list('no-new-privileges:true', 'a'),
  group_add: list('a', 7),
  extra_hosts: list('a=1.2.3.4', 'b=1.2.3.5'),
  depends_on: fc.oneof(
    list('db', 'mq'),
    mapOf(
      ['db', 'mq'],
      some({ required: fc.boolean() }).map((one) => ({ condition: 'service_healthy', ...one })),
    ),
  ),
  healthcheck: some({
    test: fc.oneof(fc.constantFrom('curl -f x', 'true'), fc.constant(['CMD', 'a'])),
    interval: time,
    retries: fc.integer({ min: 1, max: 5 }),
    start_period: time,
    disable: fc.boolean(),
  }),
  deploy: some({
    replicas: fc.integer({ min: 0, max: 3 }),
    mode: fc.constantFrom('replicated', 'global'),
    labels: pairs,
    resources: some({
      limits: some({ cpus: fc.constantFrom('0.5', 2), memory: fc.constantFrom('64M', '1g', '512mb') }),
      reservations: some({ memory: fc.constantFrom('32M', '20k') }),
    }),
    update_config: some({ parallelism: fc.integer({ min: 0, max: 3 }), delay: time }),
    placement: some({ constraints: list('node.labels.a == b', 'node.role == worker') }),
  }),
  networks: fc.oneof(list('front', 'back'), mapOf(['front', 'back'], some({ aliases: list('x', 'y') }))),
  logging: some({ driver: fc.constantFrom('json-file', 'local'), options: mapOf(['max-size'], word) }),
  shm_size: fc.constantFrom('64m', 1024),
  stop_grace_period: time,
  user: fc.constantFrom('1000', 'a:b'),
  restart: fc.constantFrom('always', 'no', 'on-failure:3'),
  init: fc.boolean(),
  ulimits: mapOf(['nofile', 'nproc'], fc.constant({ soft: 1, hard: 2 })),
  secrets: fc.oneof(list('sec', 'sec2'), fc.constant([{ source: 'sec', target: 'other', uid: '1' }])),
  build: fc.oneof(
    fc.constantFrom('.', './app'),
    some({ args: pairs, tags: list('a', 'b'), cache_from: list('x') }).map((one) => ({
      context: './app',
      ...one,
    })),
  ),
  env_file: fc.constantFrom('e.env', ['e.env', 'f.env'], [{ path: 'none.env', required: false }]),
};

export const composeService: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc
  .subarray(Object.keys(keys), { maxLength: 8 })
  .chain((chosen) =>
    fc.record(Object.fromEntries(chosen.map((name) => [name, keys[name] ?? fc.constant(null)]))),
  );

/** What they name. */
export const others = { db: { image: 'db' }, mq: { image: 'mq' } };
export const resources = {
  volumes: { data: {}, other: {} },
  networks: { front: {}, back: {} },
  secrets: { sec: { file: './s' }, sec2: { environment: 'FOO' } },
};
