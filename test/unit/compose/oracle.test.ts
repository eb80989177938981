import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readProject } from '../../../shared/compose/project.ts';
import { plain } from '../../../shared/compose/tree.ts';
import { hasProgram } from '../../support/tool.ts';

const isThere =
  hasProgram('docker-compose') &&
  / 1\.29/.test(execFileSync('docker-compose', ['--version'], { encoding: 'utf8' }));

interface Service extends Readonly<Record<string, unknown>> {
  readonly environment: Readonly<Record<string, string>>;
  readonly dns: readonly string[];
  readonly cap_add: readonly string[];
  readonly ports: readonly { readonly published?: string; readonly target: number }[];
  readonly volumes: readonly { readonly source: string; readonly target: string }[];
}

/** Variables that both are given. */
const environment = { FOO: 'foo', EMPTY: '', PORT: '8080', COMPOSE_PROJECT_NAME: 'oracle' };

describe.skipIf(!isThere)('beside docker-compose 1.29 (needs docker-compose)', () => {
  const directory = mkdtempSync(join(tmpdir(), 'test-compose-oracle-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** What both make of the same files: services, as docker-compose writes them, and as we read them. */
  function both(files: Readonly<Record<string, string>>, named: readonly string[]) {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    const options = named.flatMap((name) => ['-f', name]);
    const config = execFileSync('docker-compose', [...options, 'config'], {
      cwd: directory,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: directory, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const project = readProject({
      files: named,
      workingDirectory: directory,
      profiles: [],
      environment,
      read: (path) => {
        try {
          return readFileSync(join(directory, path), 'utf8');
        } catch {
          return undefined;
        }
      },
    });
    return {
      // It writes dollar signs so that its own output can be read again.
      theirs: parse(config.replaceAll('$$', '$')).services,
      ours: Object.fromEntries(
        [...project.services].map(([name, node]) => [name, plain(node) as Service] as const),
      ),
    };
  }

  it('variables become the same', () => {
    const word = fc.stringMatching(/^[a-z0-9 .:/-]{0,6}$/);
    const part = fc.oneof(
      word,
      fc.constantFrom('$FOO/', '${FOO}', '${EMPTY}', '$$', '$PORT.'),
      fc
        .tuple(
          fc.constantFrom('FOO', 'EMPTY', 'NONE'),
          fc.constantFrom('-', ':-'),
          fc.stringMatching(/^[a-z0-9.]{0,4}$/),
        )
        .map(([name, operator, usual]) => `\${${name}${operator}${usual}}`),
    );
    const texts = fc.sample(
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('')),
      { numRuns: 200, seed: 7 },
    );
    const values = Object.fromEntries(texts.map((text, index) => [`V${index}`, `<${text}>`]));
    const { ours, theirs } = both(
      {
        'v.compose.yaml': JSON.stringify({
          version: '3.8',
          services: { web: { image: 'x', environment: values } },
        }),
      },
      ['v.compose.yaml'],
    );
    expect(ours['web']!.environment).toEqual(theirs.web.environment);
  });

  it('files come together to the same', () => {
    const files = {
      'a.yaml': `version: "3.8"
x-common: &common {logging: {driver: json-file, options: {max-size: 1m}}, restart: always}
services:
  web:
    <<: *common
    image: "web:\${TAG:-1}"
    command: [a, b]
    environment: [A=1, B=2, "P=$PORT"]
    labels: {one: "1", two: "2"}
    cap_add: [NET_ADMIN]
    dns: 1.1.1.1
    depends_on: [db]
    env_file: e.env
    ports: ["80:80", "443"]
    volumes: ["data:/data", "/srv/a:/a:ro"]
    healthcheck: {test: [CMD, a], interval: 5s, retries: 3}
    deploy: {replicas: 2, resources: {limits: {memory: 64M}}}
  db: {image: db, <<: *common}
volumes: {data: {}}
`,
      'b.yaml': `version: "3.8"
services:
  web:
    image: web:2
    command: c d
    environment: {B: "3", C: "4"}
    labels: [two=3, three=4]
    cap_add: [SYS_TIME]
    dns: [8.8.8.8]
    ports: ["81:80"]
    volumes: ["/srv/b:/a", "other:/o"]
    healthcheck: {timeout: 2s, retries: 5}
    deploy: {replicas: 3}
volumes: {other: {}}
`,
      'e.env': "# comment\nA=from file\nE='quoted'\nF=x # y\n",
    };
    const { ours, theirs } = both(files, ['a.yaml', 'b.yaml']);
    const mine = ours['web']!;
    for (const key of ['image', 'labels', 'healthcheck', 'logging', 'restart', 'deploy'])
      expect({ [key]: mine[key] }).toEqual({ [key]: theirs.web[key] });
    const { F: _, ...variables } = theirs.web.environment;
    expect(mine.environment).toEqual({ ...variables, F: 'x' });
    expect(mine['command']).toBe('c d');
    expect([...mine.dns].sort()).toEqual([...theirs.web.dns].sort());
    expect([...mine.cap_add].sort()).toEqual([...theirs.web.cap_add].sort());
    const ports = mine.ports.map(({ published, target }) => `${published ?? ''}:${target}`);
    expect(ports.sort()).toEqual(portsOf(theirs.web.ports));
    const volumes = mine.volumes.map(({ source, target }) => `${source}:${target}`);
    expect(volumes.sort()).toEqual(
      theirs.web.volumes
        .map((volume: string | { source: string; target: string }) =>
          typeof volume === 'string'
            ? volume.split(':').slice(0, 2).join(':')
            : `${volume.source}:${volume.target}`,
        )
        .sort(),
    );
  });
});

const portsOf = (ports: readonly (string | { published?: number; target: number })[]): readonly string[] =>
  ports
    .map((port) => {
      if (typeof port !== 'string') return `${port.published ?? ''}:${port.target}`;
      const [first = '', second] = port.replace('/tcp', '').split(':');
      return second === undefined ? `:${first}` : `${first}:${second}`;
    })
    .sort();
