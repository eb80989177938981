import { describe, expect, it } from 'vitest';
import { faultsOf, projectOf, treeOf } from './project-of.ts';

const web = (keys: string, more = {}) =>
  treeOf(
    `services:\n  web:\n    image: x\n${keys.replace(/^/gm, '    ')}\nvolumes: {data: {}}\nsecrets: {s: {environment: S}}\n`,
    more,
  ).services.web;

describe('short forms become long ones', () => {
  it.each<[string, object]>([
    ['ports: ["3000"]', { ports: [{ mode: 'ingress', protocol: 'tcp', target: 3000 }] }],
    ['ports: [3000]', { ports: [{ mode: 'ingress', protocol: 'tcp', target: 3000 }] }],
    ['ports: ["8000:80"]', { ports: [{ mode: 'ingress', protocol: 'tcp', target: 80, published: '8000' }] }],
    [
      'ports: ["127.0.0.1:8001:8001/udp"]',
      {
        ports: [{ mode: 'ingress', protocol: 'udp', target: 8001, published: '8001', host_ip: '127.0.0.1' }],
      },
    ],
    [
      'ports: ["[::1]:80:80"]',
      { ports: [{ mode: 'ingress', protocol: 'tcp', target: 80, published: '80', host_ip: '::1' }] },
    ],
    [
      'ports: ["127.0.0.1::80"]',
      { ports: [{ mode: 'ingress', protocol: 'tcp', target: 80, host_ip: '127.0.0.1' }] },
    ],
    [
      'ports: ["8000-9000:80"]',
      { ports: [{ mode: 'ingress', protocol: 'tcp', target: 80, published: '8000-9000' }] },
    ],
    [
      'ports: ["9090-9091:8080-8081"]',
      {
        ports: [
          { mode: 'ingress', protocol: 'tcp', target: 8080, published: '9090' },
          { mode: 'ingress', protocol: 'tcp', target: 8081, published: '9091' },
        ],
      },
    ],
    [
      'ports: [{target: 80, published: 8080}]',
      { ports: [{ mode: 'ingress', protocol: 'tcp', target: 80, published: '8080' }] },
    ],
    [
      'volumes: ["data:/d:ro"]',
      { volumes: [{ type: 'volume', source: 'data', target: '/d', read_only: true }] },
    ],
    ['volumes: ["/anonymous"]', { volumes: [{ type: 'volume', target: '/anonymous' }] }],
    ['volumes: ["./a:/b"]', { volumes: [{ type: 'bind', source: 'a', target: '/b' }] }],
    ['volumes: ["~/a:/b"]', { volumes: [{ type: 'bind', source: '/home/me/a', target: '/b' }] }],
    ['environment: [A=1, B=]', { environment: { A: '1', B: '' } }],
    ['labels: [a=b=c, d]', { labels: { a: 'b=c', d: null } }],
    ['extra_hosts: ["a:1.2.3.4", "b=[::1]"]', { extra_hosts: { a: ['1.2.3.4'], b: ['::1'] } }],
    ['secrets: [s]', { secrets: [{ source: 's' }] }],
    ['build: .', { build: { context: '.' } }],
    ['build: {args: [A=1, B], dockerfile: D}', { build: { args: { A: '1', B: null }, dockerfile: 'D' } }],
    ['tmpfs: /run', { tmpfs: ['/run'] }],
    ['expose: [80, "81"]', { expose: ['80', '81'] }],
    ['healthcheck: {test: curl x}', { healthcheck: { test: ['CMD-SHELL', 'curl x'] } }],
    ['ulimits: {nproc: 5}', { ulimits: { nproc: { soft: 5, hard: 5 } } }],
    ['configs: []\nsecrets: [{source: s, mode: 0440}]', { secrets: [{ source: 's', mode: 288 }] }],
  ])('%s', (keys, expected) => expect(web(keys)).toMatchObject(expected));
});

describe('variables', () => {
  it('become numbers and booleans where those are asked for', () =>
    expect(
      treeOf(
        'services: {web: {image: x, depends_on: {db: {condition: service_started, required: "${NO:-false}"}}}}',
      ).services.web.depends_on.db.required,
    ).toBe(false));

  it('come from .env, which the environment comes before', () => {
    const files = {
      'compose.yaml': 'services: {web: {image: "a:${TAG}", hostname: "$OTHER"}}',
      '.env': 'TAG=1\nOTHER=o',
    };
    expect(treeOf(files).services.web).toEqual({ image: 'a:1', hostname: 'o' });
    expect(treeOf(files, { environment: { TAG: '2' } }).services.web.image).toBe('a:2');
  });

  it('come from files that are named, the last before the first, and not from .env then', () =>
    expect(
      faultsOf(
        {
          'compose.yaml': 'services: {web: {image: "a:${TAG}-${OTHER}"}}',
          '.env': 'OTHER=o',
          'a.env': 'TAG=1',
          'b.env': 'TAG=2',
        },
        { environmentFiles: ['a.env', 'b.env'] },
      ),
    ).toEqual(['compose.yaml:1:25 services.web.image the variable OTHER is not set, and has no default.']));

  it('that are not set are told all at once', () =>
    expect(faultsOf('services:\n  web:\n    image: ${A}\n    command: [$B]\n')).toEqual([
      'compose.yaml:3:12 services.web.image the variable A is not set, and has no default.',
      'compose.yaml:4:15 services.web.command.0 the variable B is not set, and has no default.',
    ]));
});

describe('environment of a service', () => {
  const files = (service: string) => ({
    'compose.yaml': `services: {web: {image: x, ${service}}}`,
    'a.env': 'A=file\nB=file\nC=$OUTSIDE',
    'raw.env': 'R=$x "',
  });
  const environment = { OUTSIDE: 'out', P: 'passed' };
  it('comes from files first, then from the service', () =>
    expect(
      treeOf(files('env_file: a.env, environment: {B: own, P: , Q: }'), { environment }).services.web,
    ).toEqual({ image: 'x', environment: { A: 'file', B: 'own', C: 'out', P: 'passed' } }));
  it('takes files that need not be there, and raw ones', () =>
    expect(
      treeOf(files('env_file: [{path: none.env, required: false}, {path: raw.env, format: raw}]'), {
        environment,
      }).services.web.environment,
    ).toEqual({ R: '$x "' }));
  it('says which file is missing', () =>
    expect(faultsOf(files('env_file: [a.env, none.env]'), { environment })).toEqual([
      'compose.yaml:1:46 services.web.env_file.1 there is no file none.env. Make it, or say required: false.',
    ]));
});

describe('extends', () => {
  it('takes from the same file, over several steps', () =>
    expect(
      treeOf(
        'services:\n  a: {image: a, environment: {A: 1}}\n  b: {extends: a, environment: {B: 2}}\n  c: {extends: {service: b}, image: c}\n',
      ).services.c,
    ).toEqual({ image: 'c', environment: { A: '1', B: '2' } }));
  it('takes from another file, whose paths are its own', () =>
    expect(
      treeOf({
        'compose.yaml': 'services: {web: {extends: {file: sub/base.yaml, service: base}, ports: !reset []}}',
        'sub/base.yaml': 'services: {base: {build: ./app, env_file: x.env, ports: [80]}}',
        'sub/x.env': 'X=1',
      }).services.web,
    ).toEqual({ build: { context: 'sub/app' }, environment: { X: '1' } }));
  it.each([
    ['services: {a: {image: x, extends: b}, b: {extends: a}}', 'services extend each other in a circle'],
    [
      'services: {a: {image: x, extends: none}}',
      'there is no service none in compose.yaml: expected one of a.',
    ],
    ['services: {a: {image: x, extends: {file: no.yaml, service: s}}}', 'there is no file no.yaml.'],
    [
      'services: {a: {image: x, extends: {file: "https://x/y.yaml", service: s}}}',
      'lies on another computer',
    ],
  ])('%s is refused', (text, message) => expect(faultsOf(text)[0]).toContain(message));
});

describe('include', () => {
  it('brings services, with a directory and variables of their own', () =>
    expect(
      treeOf({
        'compose.yaml':
          'include: [sub/compose.yaml]\nservices: {web: {image: "w:${TAG:-none}", depends_on: [db]}}',
        'sub/compose.yaml': 'services: {db: {image: "db:${TAG}", build: .}}\nvolumes: {data: {}}',
        'sub/.env': 'TAG=sub',
      }),
    ).toMatchObject({
      services: { web: { image: 'w:none' }, db: { image: 'db:sub', build: { context: 'sub' } } },
      volumes: { data: {} },
    }));
  it('takes an override beside it', () =>
    expect(
      treeOf({
        'compose.yaml': 'include:\n  - path: [a.yaml, b.yaml]\n    env_file: x.env\n',
        'a.yaml': 'services: {db: {image: a}}',
        'b.yaml': 'services: {db: {image: "b:$X"}}',
        'x.env': 'X=1',
      }).services,
    ).toEqual({ db: { image: 'b:1' } }));
  it('is changed by a file that comes later', () =>
    expect(
      treeOf(
        {
          'compose.yaml': 'include: [a.yaml]\nservices: {web: {image: w}}',
          'a.yaml': 'services: {db: {image: a, user: u}}',
          'b.yaml': 'services: {db: {image: b}}',
        },
        { files: ['compose.yaml', 'b.yaml'] },
      ).services,
    ).toEqual({ web: { image: 'w' }, db: { image: 'b', user: 'u' } }));
  it.each<[Record<string, string>, string]>([
    [
      { 'compose.yaml': 'include: [a.yaml]', 'a.yaml': 'include: [compose.yaml]' },
      'a.yaml:1:11 include.0 files include each other in a circle: compose.yaml → a.yaml → compose.yaml.',
    ],
    [
      {
        'compose.yaml': 'include: [a.yaml]\nservices: {db: {image: x}}',
        'a.yaml': 'services: {db: {image: y}}',
      },
      'compose.yaml:2:12 services.db a.yaml:1, which is included, says something else under this name',
    ],
    [{ 'compose.yaml': 'include: [none.yaml]' }, 'compose.yaml:1:11  there is no file none.yaml.'],
    [{ 'compose.yaml': 'include: ["oci://x/y"]' }, 'lies on another computer'],
  ])('%j is refused', (files, message) => expect(faultsOf(files)[0]).toContain(message));
});

describe('profiles, names, anchors', () => {
  const text = 'services: {a: {image: x}, b: {image: x, profiles: [p]}, c: {image: x, profiles: [q]}}';
  it.each<[readonly string[], string]>([
    [[], 'a'],
    [['p'], 'a,b'],
    [['p', 'q'], 'a,b,c'],
    [['*'], 'a,b,c'],
  ])('profiles %j', (profiles, expected) =>
    expect(Object.keys(treeOf(text, { profiles }).services).join()).toBe(expected),
  );
  it('COMPOSE_PROFILES', () =>
    expect(Object.keys(treeOf(text, { environment: { COMPOSE_PROFILES: 'q' } }).services)).toEqual([
      'a',
      'c',
    ]));
  it('what needs a service that is left out says which profile has it', () =>
    expect(faultsOf('services: {a: {image: x, depends_on: [b]}, b: {image: x, profiles: [p]}}')[0]).toContain(
      'the service b is left out, since none of its profiles is chosen: add --profile p',
    ));
  it.each<[string, string, object]>([
    ['name: "n-${X:-y}"\nservices: {a: {image: x}}', 'n-y', {}],
    ['services: {a: {image: x}}', 'shop', {}],
    ['name: n\nservices: {a: {image: x}}', 'p', { name: 'p' }],
    ['name: n\nservices: {a: {image: x}}', 'e', { environment: { COMPOSE_PROJECT_NAME: 'e' } }],
  ])('name of %j', (file, expected, more) => expect(projectOf(file, more).name).toBe(expected));
  it('the name is a variable', () =>
    expect(treeOf('name: n\nservices: {a: {image: "${COMPOSE_PROJECT_NAME}/a"}}').services.a.image).toBe(
      'n/a',
    ));
  it('anchors and merge keys, nearest first', () =>
    expect(
      treeOf(
        'x-a: &a {image: a, user: u}\nx-b: &b {image: b, hostname: h}\nservices:\n  web: {<<: [*b, *a], user: own}\n  c: *a\n',
      ).services,
    ).toEqual({ web: { image: 'b', user: 'own', hostname: 'h' }, c: { image: 'a', user: 'u' } }));
  it('several documents are merged', () =>
    expect(treeOf('services: {a: {image: x}}\n---\nservices: {a: {image: y}}').services.a.image).toBe('y'));
});

describe('faults have their place', () => {
  it.each([
    [
      'services:\n  web:\n    imag: x\n',
      'compose.yaml:3:5 services.web.imag the Compose Specification has no such key. Did you mean "image"?',
    ],
    [
      'services:\n  web:\n    image: [x]\n',
      'compose.yaml:3:5 services.web.image expected a text, found ["x"].',
    ],
    [
      'services:\n  web:\n    ports: 80\n',
      'compose.yaml:3:12 services.web.ports expected a list, found 80.'.replace(':12', ':5'),
    ],
    ['services:\n  web:\n    ports: [x]\n', 'compose.yaml:3:13 services.web.ports.0 "x" is no port'],
    ['services:\n  web:\n    ports: ["80-81:90-95"]\n', '"80-81:90-95" is no port'],
    ['services:\n  web:\n    volumes: [a:b]\n', 'compose.yaml:3:15 services.web.volumes.0 "a:b" is no mount'],
    ['services:\n  web:\n    volumes: ["a:/b"]\n', '"a" is not declared: name it under volumes'],
    [
      'services:\n  web:\n    networks: [n]\n',
      'compose.yaml:3:16 services.web.networks.n "n" is not declared',
    ],
    ['services:\n  web:\n    secrets: [n]\n', '"n" is not declared: name it under secrets'],
    ['services:\n  web:\n    depends_on: [n]\n', 'there is no service n.'],
    [
      'services:\n  web:\n    depends_on: {b: {condition: x}}\n  b: {}\n',
      'expected one of service_started, service_healthy, service_completed_successfully, found "x".',
    ],
    [
      'services: {a: {depends_on: [b]}, b: {depends_on: [a]}}',
      'services wait for each other in a circle: a → b → a.',
    ],
    [
      'services:\n  web:\n    cpus: 1\n    deploy: {resources: {limits: {cpus: "2"}}}\n',
      'compose.yaml:3:5 services.web.cpus says 1, and deploy.resources.limits.cpus says 2: keep one of them.',
    ],
    [
      'services:\n  web:\n    mem_limit: 1g\n    scale: 2\n    deploy: {replicas: 3, resources: {limits: {memory: 1024M}}}\n',
      'compose.yaml:4:5 services.web.scale says 2, and deploy.replicas says 3: keep one of them.',
    ],
    ['services: {}\n', 'there are no services'],
    ['', 'the file is empty'],
    ['- a\n', 'expected a mapping with the key services.'],
    ['services:\n  a: {image: x, image: y}\n', 'compose.yaml:2:17  not YAML: Map keys must be unique'],
    ['services: *none\n', 'there is no anchor &none before this alias.'],
    ['services:\n  a: !odd {image: x}\n', 'compose.yaml:2:11  unknown tag !odd'],
    [
      'services:\n  web:\n    build: {context: ., targets: x}\n',
      'services.web.build.targets the Compose Specification has no such key. Did you mean "target"?',
    ],
  ])('%j', (text, message) => expect(faultsOf(text).join('\n')).toContain(message));

  it('an anchor that stands for far more than was written is refused', () => {
    let text = 'x-0: &a0 [a, a, a, a, a, a, a, a, a, a]\n';
    for (let level = 1; level < 9; level += 1) {
      const item = `*a${level - 1}`;
      text += `x-${level}: &a${level} [${Array.from({ length: 10 }, () => item).join(', ')}]\n`;
    }
    expect(faultsOf(text)[0]).toContain('too much is written here by anchors');
  });
});
