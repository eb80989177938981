import { describe, expect, it } from 'vitest';
import specification from '../../../../shared/compose/compose-spec.json' with { type: 'json' };
import { serviceKeys } from '../../../../shared/compose/map/service-keys.ts';
import { ApplicationSpec } from '../../../../shared/model/application.ts';
import { mappedOf, refusalsOf, serviceOf, withWeb } from '../mapped.ts';

const web = (keys: string, top = '') => serviceOf(mappedOf(withWeb(keys, top)), 'web');
const top = [
  'volumes: {data: , other: {}}',
  'configs: {c: {content: hello}}',
  'secrets: {s: {environment: S}, f: {file: ./f.txt}}',
].join('\n');

describe('keys of a service become fields of a berth.yaml', () => {
  it.each<[string, object]>([
    ['cap_add: [NET_ADMIN]', { capAdd: ['NET_ADMIN'] }],
    ['cap_drop: [ALL]', { capDrop: ['ALL'] }],
    ['command: [a, "b c"]', { command: ['a', 'b c'] }],
    [`command: sh -c 'echo "$$X"'`, { command: ['sh', '-c', 'echo "$X"'] }],
    ['cpus: "0.5"', { resources: { cpu: 0.5 } }],
    ['depends_on: [db]', { dependsOn: ['db'] }],
    ['depends_on: {db: {condition: service_healthy}}', { dependsOn: ['db'] }],
    ['depends_on: {gone: {condition: service_started, required: false}}', {}],
    ['entrypoint: /a b', { entrypoint: ['/a', 'b'] }],
    ['environment: {A: 1, B: true, "x.y": z}', { environment: { A: '1', B: 'true', 'x.y': 'z' } }],
    ['expose: ["8080"]', { port: 8080 }],
    ['expose: ["53/udp", 80]', { port: 80 }],
    ['extra_hosts: ["a:1.2.3.4", "b:host-gateway"]', { extraHosts: { a: '1.2.3.4', b: 'host-gateway' } }],
    ['gpus: [{count: 2}]', { resources: { gpu: 2 } }],
    ['group_add: [video, 44]', { groupAdd: ['video', '44'] }],
    [
      'healthcheck: {test: [CMD, a, b], interval: 10s, timeout: 2s, retries: 5, start_period: 1m, start_interval: 1s}',
      {
        health: {
          ...{ command: ['a', 'b'], interval: 1, timeout: 2, deadline: 110 },
          liveness: { command: ['a', 'b'], interval: 10, timeout: 2, failures: 5 },
        },
      },
    ],
    [
      'healthcheck: {test: curl -f x || exit 1}',
      {
        health: {
          ...{ command: ['/bin/sh', '-c', 'curl -f x || exit 1'], timeout: 30, deadline: 90 },
          liveness: { command: ['/bin/sh', '-c', 'curl -f x || exit 1'], timeout: 30 },
        },
      },
    ],
    ['healthcheck: {disable: true}', {}],
    ['healthcheck: {test: [NONE]}', {}],
    ['healthcheck: {interval: 5s}', { health: { interval: 5, timeout: 30, deadline: 30 } }],
    ['hostname: h', { hostname: 'h' }],
    ['init: true', { init: true }],
    ['labels: [a=b, c]', { labels: { a: 'b', c: '' } }],
    ['links: [db]', {}],
    [
      'logging: {driver: json-file, options: {max-size: 5m, max-file: "2"}}',
      { logging: { maxSize: 5, maxFiles: 2 } },
    ],
    ['mem_limit: 256m', { resources: { memory: 256 } }],
    ['mem_reservation: 1g', { resources: { memory: 1024 } }],
    ['pids_limit: 100', { pidsLimit: 100 }],
    ['platform: linux/amd64', {}],
    ['privileged: true', { privileged: true }],
    ['read_only: true', { readOnly: true }],
    ['restart: "no"', { restart: 'never' }],
    ['restart: always', { restart: 'always' }],
    ['restart: unless-stopped', { restart: 'always' }],
    ['restart: on-failure', { restart: 'on-failure' }],
    ['scale: 3', { replicas: 3 }],
    ['security_opt: ["no-new-privileges:true"]', { noNewPrivileges: true }],
    ['shm_size: 64m', { shmSize: 64 }],
    ['stop_grace_period: 1m30s', { stopGrace: 90 }],
    ['stop_signal: SIGQUIT', { stopSignal: 'SIGQUIT' }],
    ['stop_signal: INT', { stopSignal: 'SIGINT' }],
    ['sysctls: {net.core.somaxconn: 1024}', { sysctls: { 'net.core.somaxconn': '1024' } }],
    [
      'tmpfs: [/run, "/tmp:size=64m,mode=1777"]',
      { tmpfs: ['/run', { target: '/tmp', size: 64, mode: '1777' }] },
    ],
    ['tty: true', { tty: true }],
    [
      'ulimits: {nproc: 5, nofile: {soft: 1, hard: 2}}',
      { ulimits: { nproc: 5, nofile: { soft: 1, hard: 2 } } },
    ],
    ['user: "1000:1000"', { user: '1000:1000' }],
    ['working_dir: /app', { workingDirectory: '/app' }],
    ['network_mode: bridge', {}],
    ['networks: [default]', {}],
    ['x-mine: 1', {}],
  ])('%s', (keys, expected) => expect(web(keys)).toEqual({ image: 'x', ...expected }));

  it.each<[string, object]>([
    ['ports: ["3000"]', { port: 3000 }],
    ['ports: ["8080:80"]', { port: 80, ports: [{ machine: 8080, container: 80 }] }],
    ['ports: ["80:80", "443:443"]', { port: 80, ports: [{ machine: 80 }, { machine: 443 }] }],
    ['ports: ["53:53/udp"]', { ports: [{ machine: 53, protocol: 'udp' }] }],
    ['ports: ["0.0.0.0:80:80"]', { port: 80, ports: [{ machine: 80 }] }],
    [
      'ports: [{target: 80, published: "81", mode: host}]',
      { port: 80, ports: [{ machine: 81, container: 80 }] },
    ],
    [
      'ports: ["9090-9091:8080-8081"]',
      {
        port: 8080,
        ports: [
          { machine: 9090, container: 8080 },
          { machine: 9091, container: 8081 },
        ],
      },
    ],
    ['ports: ["80:80"]\nexpose: [81]', { port: 80, ports: [{ machine: 80 }] }],
  ])('%s', (keys, expected) => expect(web(keys)).toEqual({ image: 'x', ...expected }));

  it.each<[string, object]>([
    ['volumes: ["data:/d"]', { volumes: [{ type: 'volume', source: 'data', target: '/d' }] }],
    [
      'volumes: ["/srv:/d:ro"]',
      { volumes: [{ type: 'host', source: '/srv', target: '/d', readOnly: true }] },
    ],
    ['volumes: ["/anonymous"]', { volumes: [{ type: 'volume', source: 'web-0', target: '/anonymous' }] }],
    [
      'volumes: [{type: tmpfs, target: /t, tmpfs: {size: 10m, mode: 01777}}]',
      { volumes: [{ type: 'tmpfs', target: '/t', size: 10, mode: '1777' }] },
    ],
    ['configs: [c]', { configs: [{ config: 'c' }] }],
    [
      'configs: [{source: c, target: /etc/c, uid: "5", mode: 0440}]',
      { configs: [{ config: 'c', target: '/etc/c', uid: 5, mode: '0440' }] },
    ],
    ['secrets: [s]', { secrets: [{ secret: 's' }] }],
    [
      'secrets: [{source: s, target: t, mode: 0400}]',
      { secrets: [{ secret: 's', target: 't', mode: '0400' }] },
    ],
  ])('%s', (keys, expected) =>
    expect(serviceOf(mappedOf(withWeb(keys, top), { environment: { S: 'secret' } }), 'web')).toEqual({
      image: 'x',
      ...expected,
    }),
  );

  it('volumes, configs and secrets that are used become those of the application', () => {
    const { application, secretSources } = mappedOf(
      {
        'compose.yaml': withWeb(
          'volumes: ["data:/d", "./nginx.conf:/etc/nginx/nginx.conf:ro"]\nconfigs: [c]\nsecrets: [s, f]',
          top,
        ),
        'nginx.conf': 'events {}',
      },
      { environment: { S: 'value' } },
    );
    expect(application).toMatchObject({
      services: {
        web: { configs: [{ config: 'nginx.conf', target: '/etc/nginx/nginx.conf' }, { config: 'c' }] },
      },
      volumes: { data: {} },
      configs: { c: { content: 'hello' }, 'nginx.conf': { content: 'events {}' } },
      secrets: { s: {}, f: {} },
    });
    expect(application['volumes']).toEqual({ data: {} });
    expect(secretSources).toEqual([
      { name: 's', value: 'value' },
      { name: 'f', file: 'f.txt' },
    ]);
  });
});

describe('deploy', () => {
  it.each<[string, object]>([
    ['replicas: 3', { replicas: 3 }],
    ['mode: global', { mode: 'one-per-machine' }],
    ['mode: replicated', {}],
    ['update_config: {parallelism: 2, order: start-first}', { rollout: { surge: 2 } }],
    ['update_config: {parallelism: 2}', { rollout: { surge: 0, unavailable: 2 } }],
    ['update_config: {parallelism: 0, order: start-first}', { rollout: { surge: '100%' } }],
    [
      'update_config: {failure_action: pause, monitor: 30s, max_failure_ratio: 0.25}',
      { rollout: { onFailure: 'stop', bake: 30, breaker: { percent: 25, least: 1, most: 1000 } } },
    ],
    ['update_config: {failure_action: rollback}', { rollout: { onFailure: 'roll-back' } }],
    ['update_config: {delay: 0s}', {}],
    ['restart_policy: {condition: on-failure}', { restart: 'on-failure' }],
    ['restart_policy: {condition: none}', { restart: 'never' }],
    ['restart_policy: {delay: 5s}', { restart: 'always' }],
    ['resources: {limits: {cpus: "0.5", memory: 50M}}', { resources: { cpu: 0.5, memory: 50 } }],
    [
      'resources: {reservations: {memory: 20M}, limits: {memory: 50M, pids: 9}}',
      { resources: { memory: 50 }, pidsLimit: 9 },
    ],
    ['resources: {reservations: {devices: [{capabilities: [gpu], count: 1}]}}', { resources: { gpu: 1 } }],
    [
      'resources: {reservations: {generic_resources: [{discrete_resource_spec: {kind: gpu, value: 2}}]}}',
      { resources: { gpu: 2 } },
    ],
    [
      'placement: {constraints: ["node.labels.disk==ssd", "node.role == worker"]}',
      { placement: { constraints: ['node.labels.disk == ssd'] } },
    ],
    ['placement: {preferences: [{spread: node.labels.zone}]}', { placement: { spread: 'zone' } }],
    ['placement: {max_replicas_per_node: 1}', { placement: { atMostPerMachine: 1 } }],
    ['endpoint_mode: vip', {}],
    ['labels: {a: b}', {}],
  ])('%s', (keys, expected) => expect(web(`deploy: {${keys}}`)).toEqual({ image: 'x', ...expected }));
});

describe('what Berth cannot honour is refused, by key and line', () => {
  it.each<[string, string]>([
    ['annotations: {a: b}', 'compose.yaml:4:5 services.web.annotations Berth'],
    ['blkio_config: {weight: 300}', 'compose.yaml:4:5 services.web.blkio_config'],
    ['cgroup: host', 'services.web.cgroup each container has its own: expected private, found "host".'],
    ['cgroup_parent: x', 'services.web.cgroup_parent'],
    ['command: []', 'services.web.command an empty command'],
    ['command: "it\'s"', 'services.web.command a quote is not closed.'],
    ['cpu_shares: 5', 'services.web.cpu_shares'],
    ['cpu_quota: 5', 'services.web.cpu_quota'],
    ['cpuset: "0"', 'services.web.cpuset'],
    ['cap_add: [NOPE]', 'compose.yaml:4:15 services.web.cap_add.0 expected a capability'],
    [
      'depends_on: {db: {condition: service_completed_successfully}}',
      'services.web.depends_on.db a service of Berth does not end. db would be the step before rollouts of web, but it has no command',
    ],
    ['deploy: {mode: global-job}', 'services.web.deploy.mode "global-job" is none'],
    ['deploy: {endpoint_mode: dnsrr}', 'services.web.deploy.endpoint_mode'],
    [
      'deploy: {placement: {constraints: ["node.role == manager"]}}',
      'services.web.deploy.placement.constraints.0 no machine of Berth has node.role',
    ],
    [
      'deploy: {placement: {preferences: [{spread: node.labels.rack}]}}',
      'services.web.deploy.placement.preferences Berth spreads over zones',
    ],
    ['deploy: {restart_policy: {max_attempts: 3}}', 'services.web.deploy.restart_policy.max_attempts'],
    ['deploy: {update_config: {delay: 10s}}', 'services.web.deploy.update_config.delay Berth goes on'],
    [
      'deploy: {update_config: {failure_action: continue}}',
      'services.web.deploy.update_config.failure_action',
    ],
    ['deploy: {rollback_config: {parallelism: 2}}', 'services.web.deploy.rollback_config.parallelism'],
    [
      'deploy: {resources: {limits: {memory: x}}}',
      'services.web.deploy.resources.limits.memory expected a size such as 512M, found "x".',
    ],
    [
      'deploy: {resources: {reservations: {generic_resources: [{discrete_resource_spec: {kind: ssd, value: 1}}]}}}',
      'generic_resources.0 of generic resources Berth knows gpu, not "ssd".',
    ],
    ['devices: [/dev/x:/dev/x]', 'services.web.devices'],
    ['dns: 1.1.1.1', 'services.web.dns'],
    ['domainname: x', 'services.web.domainname'],
    ['external_links: [a]', 'services.web.external_links'],
    ['extra_hosts: {a: [1.1.1.1, 2.2.2.2]}', 'services.web.extra_hosts.a expected one address'],
    ['gpus: all', 'services.web.gpus Berth gives a number of GPUs'],
    ['healthcheck: {test: [SHELL, a]}', 'services.web.healthcheck.test expected [CMD'],
    [
      'healthcheck: {test: a, interval: "5"}',
      'services.web.healthcheck.interval expected a duration such as 1m30s, found "5".',
    ],
    ['ipc: host', 'services.web.ipc'],
    ['links: ["db:database"]', 'compose.yaml:4:13 services.web.links.0 services reach each other'],
    ['logging: {driver: syslog}', 'services.web.logging.driver'],
    ['mac_address: 02:42:ac:11:65:43', 'services.web.mac_address'],
    ['network_mode: host', 'services.web.network_mode each container of Berth has a network of its own'],
    ['network_mode: "service:db"', 'services.web.network_mode a container that shares the network'],
    ['pid: host', 'services.web.pid'],
    ['platform: linux/arm64', 'services.web.platform'],
    [
      'ports: ["127.0.0.1:80:80"]',
      "compose.yaml:4:13 services.web.ports.0 a port is published on the machine's address, not on 127.0.0.1",
    ],
    [
      'ports: ["8000-9000:80"]',
      'services.web.ports.0 expected one port of the machine, found the range 8000-9000',
    ],
    ['ports: [80, 81]', 'services.web.ports.1 Berth chooses'],
    ['ports: ["25000:80"]', 'compose.yaml:4:13 services.web.ports.0.machine'],
    ['post_start: [{command: x}]', 'services.web.post_start'],
    ['restart: "on-failure:3"', 'services.web.restart Berth goes on trying'],
    ['runtime: runc', 'services.web.runtime'],
    ['security_opt: [seccomp=unconfined]', 'services.web.security_opt.0'],
    ['stdin_open: true', 'services.web.stdin_open'],
    ['stop_grace_period: x', 'services.web.stop_grace_period expected a duration'],
    ['storage_opt: {size: 1G}', 'services.web.storage_opt'],
    ['sysctls: {vm.x: 1}', 'services.web.sysctls'],
    ['user: "a b"', 'compose.yaml:4:5 services.web.user expected a user'],
    ['volumes: ["./src:/app"]', 'compose.yaml:4:15 services.web.volumes.0 src is on this computer'],
    ['volumes_from: [db]', 'services.web.volumes_from'],
    ['build: {context: ., privileged: true}', 'services.web.build.privileged docker build'],
  ])('%s', (keys, expected) => {
    const found = refusalsOf(withWeb(keys));
    expect(found.join('\n')).toContain(expected);
    expect(found).toHaveLength(1);
  });

  it.each<[string, string]>([
    ['services: {My_web: {image: x}}', 'services.My_web the name of a service is a host name'],
    ['services: {web: {}}', 'services.web has neither image nor build'],
    [
      'services: {a: {image: x, volumes: ["d:/d"]}, b: {image: x, volumes: ["d:/d"]}}\nvolumes: {d: }',
      'compose.yaml:2:11 volumes.d a and b share this volume',
    ],
    ['services: {a: {image: x, volumes: ["d:/d"]}}\nvolumes: {d: {external: true}}', 'volumes.d.external'],
    ['services: {a: {image: x, volumes: ["d:/d"]}}\nvolumes: {d: {driver: nfs}}', 'volumes.d.driver'],
    [
      'services: {a: {image: x, configs: [c]}}\nconfigs: {c: {external: true}}',
      'configs.c a config of Berth belongs to its application',
    ],
    [
      'services: {a: {image: x, configs: [c]}}\nconfigs: {c: {file: none}}',
      'configs.c.file there is no file none.',
    ],
    [
      'services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {environment: NONE}}',
      'secrets.s.environment the variable NONE is not set.',
    ],
    [
      'services: {a: {image: x, networks: [m]}, b: {image: x, networks: [n]}}\nnetworks: {m: , n: }',
      'services.a.networks no network joins a and b',
    ],
    [
      'services: {a: {image: x, networks: {n: {aliases: [other]}}}}\nnetworks: {n: }',
      'services.a.networks.n.aliases',
    ],
    [
      'services: {a: {image: x, networks: {n: {ipv4_address: 1.2.3.4}}}}\nnetworks: {n: }',
      'services.a.networks.n.ipv4_address',
    ],
    ['services: {a: {image: x, networks: [n]}}\nnetworks: {n: {ipam: {driver: x}}}', 'networks.n.ipam'],
    ['services: {a: {image: x, networks: [n]}}\nnetworks: {n: {external: true}}', 'networks.n.external'],
    ['services: {a: {image: x}}\nmodels: {m: {model: x}}', 'models Berth runs no models'],
  ])('%s', (text, expected) => expect(refusalsOf(text).join('\n')).toContain(expected));

  it('all at once, sorted by line', () =>
    expect(refusalsOf(withWeb('privileged: true\npid: host\nipc: host\nstdin_open: true'))).toHaveLength(3));

  it('unless it is left out on purpose, which is said', () => {
    const mapped = mappedOf(withWeb('pid: host\ndeploy: {endpoint_mode: dnsrr, replicas: 2}'), {
      ignored: ['pid', 'deploy.endpoint_mode', 'ipc'],
    });
    expect(serviceOf(mapped, 'web')).toEqual({ image: 'x', replicas: 2 });
    expect(mapped.notes.filter(({ path }) => path !== 'services').map(({ message }) => message)).toEqual([
      '--ignore ipc: nothing is refused for it.',
      expect.stringContaining('left out, as --ignore pid says'),
      expect.stringContaining('left out, as --ignore deploy.endpoint_mode says'),
    ]);
  });
});

it('what is ignored though it was mapped is not in the application', () => {
  const mapped = mappedOf(
    withWeb(
      'user: "a b"\ncap_add: [NOPE, KILL]\nsysctls: {vm.x: 1, net.core.somaxconn: 1}\nports: ["25000:80", "81:81"]\ndeploy: {mode: global, placement: {max_replicas_per_node: 1}}',
    ),
    { ignored: ['user', 'cap_add', 'sysctls.vm.x', 'ports.0'] },
  );
  expect(serviceOf(mapped, 'web')).toEqual({
    ...{
      image: 'x',
      capAdd: ['KILL'],
      sysctls: { 'net.core.somaxconn': '1' },
      port: 80,
      ports: [{ machine: 81 }],
    },
    mode: 'one-per-machine',
  });
  expect(ApplicationSpec.safeParse(mapped.application).success).toBe(true);
});

describe('builds', () => {
  it('are what docker build is asked for', () => {
    const mapped = mappedOf(
      withWeb(
        'build: {context: ./app, dockerfile: D, target: t, args: {A: 1, FROM_HERE: , NOT: }, labels: [l=1], extra_hosts: ["h:1.2.3.4"], cache_from: [c], no_cache: true, platforms: [linux/amd64, linux/arm64], secrets: [s], additional_contexts: {res: ./res, img: "docker-image://x"}}',
        'secrets: {s: {file: ./s.txt}}',
      ),
      { environment: { FROM_HERE: 'here' } },
    );
    expect(serviceOf(mapped, 'web')).toEqual({ image: 'x' });
    expect(mapped.builds).toMatchObject([
      {
        service: 'web',
        context: 'app',
        options: [
          ...[
            '--file',
            'app/D',
            '--build-arg',
            'A=1',
            '--build-arg',
            'FROM_HERE=here',
            '--label',
            'l=1',
            '--target',
            't',
          ],
          ...[
            '--build-context',
            'res=res',
            '--build-context',
            'img=docker-image://x',
            '--add-host',
            'h:1.2.3.4',
          ],
          ...['--cache-from', 'c', '--no-cache', '--platform', 'linux/amd64', '--secret', 'id=s,src=s.txt'],
        ],
      },
    ]);
  });
  it('have the project as context where nothing else is said, and a Dockerfile of their own', () =>
    expect(mappedOf('services: {web: {build: {dockerfile_inline: "FROM x"}}}').builds).toMatchObject([
      { context: '.', inline: 'FROM x', options: [] },
    ]));
});

it('what says no cores or memory gets some, which is said once', () => {
  const { application, notes } = mappedOf(
    'services: {a: {image: x, cpus: 2}, b: {image: x, cpus: 1, mem_limit: 1g}, c: {image: x}}',
  );
  expect(application.services).toMatchObject({
    a: { resources: { cpu: 2, memory: 512 } },
    b: { resources: { cpu: 1, memory: 1024 } },
    c: { resources: { cpu: 0.25, memory: 512 } },
  });
  expect(notes).toMatchObject([
    { path: 'services', message: expect.stringContaining('gets no more: a, c.') },
  ]);
});

describe('what runs to its end before a service', () => {
  const file = (migrate: string, web = '', more = '') =>
    `services:
  web: {image: app, environment: {DB: db}, depends_on: {migrate: {condition: service_completed_successfully}}${web}}
  migrate: {${migrate}}
  db: {image: pg}
${more}`;
  it('is its step before rollouts', () => {
    const mapped = mappedOf(
      file('image: app, command: [m, up], environment: {DB: db}, depends_on: [db], restart: on-failure'),
    );
    expect(Object.keys(mapped.application.services)).toEqual(['web', 'db']);
    expect(serviceOf(mapped, 'web')).toEqual({
      image: 'app',
      environment: { DB: 'db' },
      before: { command: ['m', 'up'] },
      dependsOn: ['db'],
    });
    expect(mapped.notes.map(({ message }) => message).join()).toContain(
      'migrate runs to its end before each rollout of web',
    );
  });
  it('may have an image of its own', () => {
    const { application, images } = mappedOf(file('image: tool, command: m'));
    expect(application.services['web']).toMatchObject({ before: { command: ['m'], image: 'tool' } });
    expect(images).toMatchObject([
      { service: 'web', image: 'app' },
      { service: 'db' },
      { service: 'web', image: 'tool', isStep: true },
    ]);
  });
  it('is built with it', () =>
    expect(
      mappedOf(
        'services: {web: {build: ., depends_on: {m: {condition: service_completed_successfully}}}, m: {build: ., command: x}}',
      ),
    ).toMatchObject({
      builds: [{ service: 'web' }],
      application: { services: { web: { before: { command: ['x'] } } } },
    }));
  it.each<[string, string, string, string]>([
    [
      'image: app, command: m, environment: {DB: other}',
      '',
      '',
      'its variable DB would have to be as in the service',
    ],
    ['image: app, command: m, volumes: ["/a:/b"]', '', '', 'its volumes would have to be as in the service'],
    ['build: ., command: m', '', '', 'it is built from something else'],
    ['image: app, command: m', '', '  api: {image: app, depends_on: [migrate]}', 'api waits for it too'],
    ['image: app', '', '', 'it has no command'],
  ])('%s is refused', (migrate, web, more, reason) =>
    expect(refusalsOf(file(migrate, web, more))).toEqual([expect.stringContaining(`but ${reason}`)]),
  );
});

describe('x-berth', () => {
  it('says what a berth.yaml has and compose has not, before other keys', () =>
    expect(
      mappedOf(
        withWeb(
          'ports: [80]\ndeploy: {replicas: 2}\nx-berth: {replicas: 3, routes: [{host: a.example}], resources: {cpu: 1}}\nmem_limit: 64m',
          'x-berth: {jobs: {j: {image: "a/b:1"}}, pools: {big: {maximum: 9}}}',
        ),
      ).application,
    ).toMatchObject({
      services: {
        web: { port: 80, replicas: 3, routes: [{ host: 'a.example' }], resources: { cpu: 1, memory: 64 } },
      },
      jobs: { j: { image: 'a/b:1' } },
      pools: { big: { maximum: 9 } },
    }));
  it.each<[string, string, string]>([
    [
      'x-berth: {rotes: []}',
      '',
      'compose.yaml:4:15 services.web.x-berth.rotes a berth.yaml has no such key. Did you mean "routes"?',
    ],
    ['x-berth: {image: x}', '', 'compose.yaml:4:15 services.web.x-berth.image is said outside of x-berth'],
    ['x-berth: [a]', '', 'services.web.x-berth expected keys of a berth.yaml.'],
    [
      'x-berth: {routes: [{host: UPPER}]}',
      '',
      'compose.yaml:4:15 services.web.x-berth.routes.0.host expected a host name',
    ],
    ['user: a', 'x-berth: {pools: {big: {maximum: -1}}}', 'compose.yaml:6:11 x-berth.pools.big.maximum'],
  ])('%s%s is refused with its place', (keys, below, expected) =>
    expect(refusalsOf(withWeb(keys, below)).join('\n')).toContain(expected),
  );
});

it('every key of a service that the Compose Specification has is known here', () => {
  const rules = serviceKeys({ configs: new Map(), volumes: new Set(), read: () => undefined });
  /** Dealt with before anything is mapped. */
  const before = ['env_file', 'extends', 'label_file', 'profiles'];
  expect([...Object.keys(rules), ...before].sort()).toEqual(
    Object.keys(specification.definitions.service.properties).sort(),
  );
});
