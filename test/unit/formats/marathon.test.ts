import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isMarathon, mapMarathon } from '../../../shared/formats/marathon.ts';
import { Invalid } from '../../../shared/model/invalid.ts';

const app = (keys: object) =>
  mapMarathon(
    JSON.stringify({ id: '/shop/web', container: { docker: { image: 'x' } }, ...keys }),
    'app.json',
    { ignored: [] },
  );
const web = (keys: object) => app(keys).application.services['web'];

function refusalsOf(text: string): readonly string[] {
  try {
    mapMarathon(text, 'app.json', { ignored: [] });
  } catch (error) {
    if (error instanceof Invalid)
      return error.issues.map(({ line, column, path, message }) => `${line}:${column} ${path} ${message}`);
    throw error;
  }
  return [];
}

describe('apps of Marathon', () => {
  it.each<[object, object]>([
    [{ cmd: 'a b' }, { command: ['/bin/sh', '-c', 'a b'] }],
    [{ args: ['a', 'b'] }, { command: ['a', 'b'] }],
    [{ cpus: 0.5, mem: 64, gpus: 1, disk: 0 }, { resources: { cpu: 0.5, memory: 64, gpu: 1 } }],
    [{ instances: 3 }, { replicas: 3 }],
    [
      { env: { A: 'b' }, labels: { l: 'm' } },
      { environment: { A: 'b' }, labels: { l: 'm' } },
    ],
    [
      { user: 'me', taskKillGracePeriodSeconds: 5 },
      { user: 'me', stopGrace: 5 },
    ],
    [{ constraints: [['hostname', 'UNIQUE']] }, { placement: { atMostPerMachine: 1 } }],
    [
      {
        constraints: [
          ['rack', 'CLUSTER', 'r1'],
          ['zone', 'GROUP_BY'],
        ],
      },
      { placement: { constraints: ['label.rack == r1'], spread: 'zone' } },
    ],
    [{ constraints: [['disk', 'UNLIKE', 'hdd']] }, { placement: { constraints: ['label.disk != hdd'] } }],
    [
      { upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.2 } },
      { rollout: { surge: '20%', unavailable: '50%' } },
    ],
    [{ upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0 } }, { rollout: { surge: 1 } }],
    [
      { portDefinitions: [{ port: 0, name: 'api' }] },
      { port: 8080, environment: { PORT: '8080', PORT0: '8080', PORT_API: '8080' } },
    ],
    [
      { requirePorts: true, ports: [80] },
      { port: 80, ports: [{ machine: 80 }], environment: { PORT: '80', PORT0: '80' } },
    ],
    [
      {
        healthChecks: [
          {
            protocol: 'HTTP',
            path: '/h',
            gracePeriodSeconds: 10,
            intervalSeconds: 5,
            timeoutSeconds: 2,
            maxConsecutiveFailures: 4,
          },
        ],
      },
      {
        health: {
          path: '/h',
          interval: 5,
          timeout: 2,
          deadline: 30,
          liveness: { path: '/h', interval: 5, timeout: 2, failures: 4 },
        },
      },
    ],
    [
      {
        healthChecks: [
          { protocol: 'COMMAND', command: { value: 'true' }, maxConsecutiveFailures: 0, intervalSeconds: 1 },
        ],
      },
      { health: { command: ['/bin/sh', '-c', 'true'], interval: 1, timeout: 20, deadline: 300 } },
    ],
    [{ version: 'x', tasksRunning: 1, backoffSeconds: 1 }, {}],
  ])('%j', (keys, expected) => expect(web(keys)).toEqual({ image: 'x', ...expected }));

  it('ports and volumes of a container', () =>
    expect(
      app({
        container: {
          docker: {
            image: 'x',
            portMappings: [
              { containerPort: 80, hostPort: 8000 },
              { containerPort: 53, hostPort: 53, protocol: 'udp' },
            ],
          },
          volumes: [
            { containerPath: '/d', persistent: { size: 1 } },
            { containerPath: '/h', hostPath: '/srv', mode: 'RO' },
          ],
        },
      }).application,
    ).toMatchObject({
      services: {
        web: {
          port: 80,
          ports: [
            { machine: 8000, container: 80 },
            { machine: 53, protocol: 'udp' },
          ],
          volumes: [
            { type: 'volume', source: 'web-0', target: '/d' },
            { type: 'host', source: '/srv', target: '/h', readOnly: true },
          ],
        },
      },
      volumes: { 'web-0': {} },
    }));

  it('a group is one application, whose apps wait for each other', () => {
    const image = { container: { docker: { image: 'x' } } };
    const group = {
      id: '/shop',
      groups: [{ id: 'db', apps: [{ id: 'pg', ...image }] }],
      apps: [{ id: 'web', dependencies: ['/shop/db/pg'], ...image }],
    };
    expect(mapMarathon(JSON.stringify(group), 'g.json', { ignored: [] }).application).toMatchObject({
      name: 'shop',
      services: { web: { dependsOn: ['db-pg'] }, 'db-pg': {} },
    });
  });

  it.each<[string, string]>([
    ['{"id": "a", "cmd": "x"}', '1:1 container has no image'],
    [
      '{"id": "a",\n "container": {"docker": {"image": "x"}},\n "uris": ["http://x"]}',
      '3:2 uris what a container needs lies in its image',
    ],
    [
      '{"id": "a", "container": {"docker": {"image": "x"}}, "env": {"A": {"secret": "s"}}}',
      'env.A secrets are files',
    ],
    [
      '{"id": "a", "container": {"docker": {"image": "x"}}, "constraints": [["a", "LIKE", "b.*"]]}',
      'constraints.0 Berth has no a LIKE b.*',
    ],
    [
      '{"id": "a", "container": {"docker": {"image": "x", "parameters": [{"key": "a"}]}}}',
      'container.docker.parameters',
    ],
    [
      '{"id": "a", "container": {"docker": {"image": "x"}}, "odd": 1}',
      'odd Berth knows nothing of the kind.',
    ],
    [
      '{"id": "a", "container": {"docker": {"image": "x"}}, "dependencies": ["/b"]}',
      'dependencies.0 /b does not come along',
    ],
    ['{"apps": []}', 'there are no apps'],
    ['{', 'not YAML'],
  ])('%s is refused', (text, expected) => expect(refusalsOf(text).join('\n')).toContain(expected));
});

const folder = fileURLToPath(new URL('../../../../shared/reference/formats/marathon/', import.meta.url));
describe.skipIf(!existsSync(folder))("Marathon's own examples (../shared/reference/formats/marathon)", () => {
  it('are mapped, or refused with their places', () => {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.json'))
      .sort();
    let mapped = 0;
    for (const file of files) {
      const text = readFileSync(`${folder}${file}`, 'utf8');
      if (!isMarathon(text)) continue;
      try {
        mapMarathon(text, file, { ignored: [] });
        mapped += 1;
      } catch (error) {
        if (!(error instanceof Invalid)) throw error;
        for (const issue of error.issues) expect(issue).toMatchObject({ file, line: expect.any(Number) });
      }
    }
    expect(mapped).toBeGreaterThan(4);
  });
});
