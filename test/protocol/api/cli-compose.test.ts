import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';
import { startDockerEngine } from '../../support/docker-engine.ts';
import { testImage } from '../../support/oci-image.ts';
import { type OtherRegistry, otherRegistry } from '../../support/other-registry.ts';
import { hasProgram, isRoot } from '../../support/tool.ts';

/** Compose files as a user deploys them: against the API, with a registry that is there. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
let directory: string;
beforeAll(async () => {
  execFileSync(process.execPath, [join(root, 'build/cli.mjs')]);
  directory = mkdtempSync(join(tmpdir(), 'test-cli-compose-'));
  world = await startApiWorld();
  await world.push('shop/web:1');
  ask = makeAsk(world.server);
});
afterAll(async () => {
  await world?.server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A folder with these files, from which berth finds the server. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(directory, 'shop-'));
  const { url, adminKey: key, ca } = world.server;
  for (const [name, text] of Object.entries({
    ...files,
    '.berth/client.json': JSON.stringify({ url, key, ca }),
  })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  }
  return folder;
}

const berth = (cwd: string, args: readonly string[], env: Record<string, string> = {}, input = '') =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [join(root, 'dist/cli/berth.mjs'), ...args],
      { cwd, env: { PATH: process.env['PATH'], HOME: cwd, NO_COLOR: '1', ...env } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
    child.stdin?.end(input);
  });
const deployed = async (name: string) =>
  (await ask('GET', `/api/v1/environments/dev/applications/${name}`)).json;

describe('berth deploy of a compose file', () => {
  it('finds it, says so, and deploys it with its override, variables and configs', async () => {
    const folder = folderOf({
      'compose.yaml':
        'name: found\nservices:\n  web:\n    image: "shop/web:${TAG}"\n    container_name: web-1\n    volumes: ["./app.conf:/app.conf:ro"]\n',
      'compose.override.yaml': 'services: {web: {environment: {A: 1}, deploy: {replicas: 2}}}',
      '.env': 'TAG=1',
      'app.conf': 'level = 1',
    });
    const said = await berth(folder, ['deploy', '--no-wait']);
    expect([said.code, said.stderr]).toEqual([
      0,
      expect.stringContaining('Taking compose.yaml and compose.override.yaml.'),
    ]);
    expect(said.stderr).toContain(
      'compose.yaml:5:5: services.web.container_name: Berth names containers itself',
    );
    expect(await deployed('found')).toMatchObject({
      services: {
        web: {
          image: 'shop/web:1',
          replicas: 2,
          environment: { A: '1' },
          configs: [{ config: 'app.conf', target: '/app.conf' }],
        },
      },
    });
  });

  it('what the server refuses is told at its place in the file, as what is refused here', async () => {
    const text =
      'name: far\nservices:\n  web:\n    image: shop/web:1\n    deploy:\n      placement:\n        constraints: ["node.labels.disk == ssd"]\n';
    const folder = folderOf({ 'compose.yaml': text });
    for (const verb of [['deploy', '--no-wait'], ['plan']]) {
      const said = await berth(folder, verb);
      expect([said.code, said.stderr]).toEqual([
        2,
        expect.stringMatching(
          /compose\.yaml:7:\d+: services\.web\.placement\.constraints\.0: pool default never has/,
        ),
      ]);
    }
  });

  it('is judged before anything is built or sealed for it', async () => {
    const routed =
      'name: first\nservices: {web: {image: "shop/web:1", port: 80, routes: [{host: taken.example.com}]}}';
    expect(await berth(folderOf({ 'berth.yaml': routed }), ['deploy', '--no-wait'])).toMatchObject({
      code: 0,
    });
    const folder = folderOf({
      'compose.yaml':
        'name: judged\nservices:\n  web:\n    build: .\n    secrets: [s]\n    x-berth:\n      port: 80\n      routes:\n        - host: taken.example.com\nsecrets: {s: {file: s.txt}}\n',
      's.txt': 'never sealed',
    });
    const said = await berth(folder, ['deploy', '--no-wait'], { PATH: folder });
    expect([said.code, said.stderr]).toEqual([
      1,
      expect.stringMatching(/compose\.yaml:8:7: services\.web\.routes\.0: .* is that of dev\.first\.web/),
    ]);
    const { secrets } = (await ask('GET', '/api/v1/environments/dev/secrets')).json as {
      secrets: { key: { application?: string } }[];
    };
    expect(secrets.filter(({ key }) => key.application === 'judged')).toEqual([]);
  });

  it('takes files that are named, a name, profiles, and files of variables', async () => {
    const folder = folderOf({
      'a.compose.yaml':
        'services: {web: {image: "shop/web:${TAG}"}, more: {image: "shop/web:1", profiles: [extra]}}',
      'b.compose.yaml': 'services: {web: {user: "1000"}}',
      'x.env': 'TAG=1',
    });
    const args = [
      'deploy',
      'a.compose.yaml',
      '-f',
      'b.compose.yaml',
      '-p',
      'named',
      '--profile',
      'extra',
      '--env-file',
      'x.env',
    ];
    expect(await berth(folder, [...args, '--no-wait'])).toMatchObject({ code: 0 });
    expect(await deployed('named')).toMatchObject({ services: { web: { user: '1000' }, more: {} } });
  });

  it.each<[string, Record<string, string>, readonly string[], readonly string[]]>([
    [
      'keys that it cannot honour, all of them, and changes nothing',
      {
        'compose.yaml':
          'name: refused\nservices:\n  web:\n    image: shop/web:1\n    pid: host\n    ipc: host\n',
      },
      [],
      [
        'compose.yaml:5:5: services.web.pid: containers of Berth share nothing',
        'compose.yaml:6:5: services.web.ipc',
        '--ignore KEY',
      ],
    ],
    [
      'an image that is in no registry it knows, with the commands that bring it',
      {
        'compose.yaml':
          'name: refused\nservices:\n  web:\n    image: nginx:1.27\n  db: {image: "ghcr.io/acme/db:2"}\n',
      },
      [],
      [
        "compose.yaml:4:5: services.web.image: docker.io/library/nginx:1.27 is not in Berth's registry, and no source mirrors it.",
        'ghcr.io/acme/db:2',
        'berth images import docker.io/library/nginx:1.27 | berth images import ghcr.io/acme/db:2 | berth registry sources create hub --from docker.io | berth registry sources create ghcr --from ghcr.io',
      ],
    ],
    ['a folder without a file', {}, [], ['There is no berth.yaml, berth.yml, compose.yaml', 'berth init']],
    [
      'a file that is not there',
      {},
      ['none.compose.yaml'],
      ['none.compose.yaml:1:1: there is no file none.compose.yaml.'],
    ],
    [
      'a berth.yaml among several',
      { 'berth.yaml': 'name: x', 'compose.yaml': 'services: {}' },
      ['berth.yaml', 'compose.yaml'],
      ['berth.yaml is none.'],
    ],
    [
      'options of compose for a berth.yaml',
      { 'berth.yaml': 'name: x' },
      ['-p', 'y'],
      ['--project-name: of compose files alone'],
    ],
    [
      'a secret whose file is not there',
      { 'compose.yaml': 'services: {web: {image: "shop/web:1", secrets: [s]}}\nsecrets: {s: {file: none}}' },
      ['-p', 'refused'],
      ['secrets.s.file: none: ENOENT'],
    ],
  ])('refuses %s', async (_, files, args, expected) => {
    const said = await berth(folderOf(files), ['deploy', ...args]);
    expect(said.code).toBe(2);
    for (const words of expected) expect(said.stderr).toContain(words);
    expect((await ask('GET', '/api/v1/environments/dev/applications/refused')).status).toBe(404);
  });

  it('goes on without a key on purpose, and says so', async () => {
    const folder = folderOf({
      'compose.yaml': 'name: without\nservices: {web: {image: "shop/web:1", pid: host}}',
    });
    const said = await berth(folder, ['deploy', '--no-wait', '--ignore', 'pid']);
    expect([said.code, said.stderr]).toEqual([
      0,
      expect.stringContaining('services.web.pid: left out, as --ignore pid says'),
    ]);
  });

  it('tells what it is as JSON where that is asked for', async () => {
    const said = await berth(folderOf({ 'compose.yaml': 'services: {web: {image: x, pid: host}}' }), [
      'deploy',
      '--json',
    ]);
    const lines = said.stderr.trim().split('\n');
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({
      code: 'compose-not-honoured',
      message: expect.stringContaining('compose.yaml:1:28'),
    });
  });

  it('seals secrets that are not there yet, and leaves those that are', async () => {
    const folder = folderOf({
      'compose.yaml':
        'name: sealed\nservices: {web: {image: "shop/web:1", secrets: [f, v]}}\nsecrets: {f: {file: ./f.txt}, v: {environment: V}}',
      'f.txt': 'of a file',
    });
    const first = await berth(folder, ['deploy', '--no-wait'], { V: 'of a variable' });
    expect([first.code, first.stderr]).toEqual([
      0,
      expect.stringMatching(/secret f: set for sealed\nsecret v: set for sealed/),
    ]);
    const again = await berth(folder, ['deploy', '--no-wait'], { V: 'changed' });
    expect(again.stderr).toContain('secret v: is there already, and stays as it is');
    expect(again.stderr + first.stderr).not.toContain('of a');
  });
});

describe('images of other registries', () => {
  let other: OtherRegistry;
  beforeAll(async () => {
    other = await otherRegistry();
    await other.client.pushImage('lib/app', 'v1', testImage([Buffer.from('x')]));
  });
  afterAll(() => other?.close());
  it('are copies where a source mirrors them', async () => {
    const folder = folderOf({
      'compose.yaml': `name: mirrored\nservices: {web: {image: "${other.host}/lib/app:v1"}}`,
    });
    const before = await berth(folder, ['deploy', '--no-wait']);
    expect([before.code, before.stderr]).toEqual([
      2,
      expect.stringContaining(`${other.host}/lib/app:v1 is not in Berth's registry`),
    ]);
    const source = [
      'registry',
      'sources',
      'create',
      'lib',
      '--from',
      other.host,
      '--plain-http',
      '--username',
      'x',
      '--password-stdin',
    ];
    expect(await berth(folder, source, {}, 'reader-key\n')).toMatchObject({ code: 0 });
    const said = await berth(folder, ['deploy', '--no-wait']);
    expect([said.code, said.stderr]).toEqual([0, expect.stringContaining('lib/lib/app:v1 here, a copy')]);
    expect(await deployed('mirrored')).toMatchObject({ services: { web: { image: 'lib/lib/app:v1' } } });
  });
  it('are found under the name that an import gives them', async () => {
    await world.push('library/nginx:1.27');
    const folder = folderOf({ 'compose.yaml': 'name: imported\nservices: {web: {image: "nginx:1.27"}}' });
    expect(await berth(folder, ['deploy', '--no-wait'])).toMatchObject({ code: 0 });
    expect(await deployed('imported')).toMatchObject({ services: { web: { image: 'library/nginx:1.27' } } });
  });
});

describe('berth plan of a compose file', () => {
  it('says what it would change, and changes nothing', async () => {
    const folder = folderOf({
      'compose.yaml':
        'name: planned\nservices: {web: {image: "shop/web:1", secrets: [s]}}\nsecrets: {s: {file: s.txt}}',
      's.txt': 'sealed by a deployment alone',
    });
    const said = await berth(folder, ['plan']);
    expect((await berth(folder, ['plan', '-f', 'compose.yaml'])).stdout).toBe(said.stdout);
    expect([said.code, said.stderr]).toEqual([0, expect.stringContaining('Taking compose.yaml.')]);
    expect(said.stdout).toContain('web');
    expect((await ask('GET', '/api/v1/environments/dev/applications/planned')).status).toBe(404);
  });
  it('is refused where something has to be built', async () => {
    const said = await berth(folderOf({ 'compose.yaml': 'services: {web: {build: .}}' }), ['plan']);
    expect([said.code, said.stderr]).toEqual([
      2,
      expect.stringContaining('compose.yaml:1:18: services.web.build: its image is built'),
    ]);
  });
});

describe('build:', () => {
  it('is refused with what to do where there is no engine', async () => {
    // The sidecar's image is not there yet: it may be one of those that are about to be built.
    const folder = folderOf({
      'compose.yaml': 'services: {web: {build: ., x-berth: {sidecars: {side: {image: "shop/side:1"}}}}}',
    });
    const said = await berth(folder, ['deploy', '-p', 'unbuilt'], { PATH: folder });
    expect([said.code, said.stderr]).toEqual([
      5,
      expect.stringContaining('docker is not installed; podman is not installed'),
    ]);
  });

  describe.skipIf(!hasProgram('dockerd') || !hasProgram('docker') || !isRoot)(
    'with docker (needs root and dockerd)',
    () => {
      let engine: Awaited<ReturnType<typeof startDockerEngine>>;
      beforeAll(async () => {
        engine = await startDockerEngine(mkdtempSync(join(directory, 'engine-')));
      });
      afterAll(() => engine?.stop());

      it('is done by it, pushed, and pinned by its digest', async () => {
        const folder = folderOf({
          'compose.yaml':
            'name: built\nservices:\n  web:\n    build: {context: app, args: {VERSION: "2"}}\n  api:\n    image: ghcr.io/acme/api:3\n    build:\n      context: app\n      dockerfile_inline: |\n        FROM scratch\n        COPY file /\n',
          'app/Dockerfile': 'FROM scratch\nARG VERSION\nLABEL version=$VERSION\nCOPY file /\n',
          'app/file': 'content',
        });
        const said = await berth(folder, ['deploy', '--no-wait'], { DOCKER_HOST: engine.host });
        expect(said.stderr).toContain('web: building built/web:latest from app with docker');
        expect(said.code).toBe(0);
        const application = await deployed('built');
        expect(application).toMatchObject({
          services: {
            web: { image: expect.stringMatching(/^built\/web@sha256:/) },
            api: { image: expect.stringMatching(/^acme\/api@sha256:/) },
          },
        });
        const shown = await berth(folder, ['images', 'show', 'built/web:latest', '--json']);
        expect(JSON.parse(shown.stdout)).toMatchObject({ config: { labels: { version: '2' } } });
      });

      it('that fails deploys nothing, and says what was run', async () => {
        const folder = folderOf({
          'compose.yaml': 'name: broken\nservices: {web: {build: .}}',
          Dockerfile: 'FROM scratch\nCOPY none /\n',
        });
        const said = await berth(folder, ['deploy'], { DOCKER_HOST: engine.host });
        expect([said.code, said.stderr]).toEqual([
          1,
          expect.stringContaining('compose.yaml:2:18: services.web.build: docker build ended with 1.'),
        ]);
        expect(said.stderr).toContain('docker build --tag broken/web:latest .');
        expect((await ask('GET', '/api/v1/environments/dev/applications/broken')).status).toBe(404);
      });
    },
  );
});

describe('berth import and init', () => {
  it('import prints a berth.yaml that deploys, and what to do before', async () => {
    const folder = folderOf({
      'compose.yaml': 'name: shown\nservices: {web: {image: "shop/web:1", ports: ["80:80"]}}',
    });
    const { stdout, stderr, code } = await berth(folder, ['import']);
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining('shown: 1 service (web), 0 to be built, nothing refused'),
    ]);
    expect(stdout).toContain('berth images import docker.io/shop/web:1');
    writeFileSync(join(folder, 'berth.yaml'), stdout);
    expect(await berth(folder, ['deploy', '--no-wait'])).toMatchObject({ code: 0 });
    expect(await deployed('shown')).toMatchObject({
      services: { web: { image: 'shop/web:1', ports: [{ machine: 80 }] } },
    });
  });

  it.each<[string, Record<string, string>, string]>([
    ['a compose file', { 'compose.yaml': 'name: c\nservices: {web: {image: "shop/web:1"}}' }, 'name: c\n'],
    [
      'a Dockerfile',
      { Dockerfile: 'FROM x\nEXPOSE 8080\nSTOPSIGNAL SIGQUIT\nHEALTHCHECK CMD ["a"]\n' },
      'port: 8080\n    health:\n      command:\n        - a\n    stopSignal: SIGQUIT',
    ],
    ['nothing', {}, 'replicas: 2'],
  ])('init begins from %s, once, with what is valid', async (_, files, expected) => {
    const folder = folderOf(files);
    expect(await berth(folder, ['init'])).toMatchObject({ code: 0 });
    const text = readFileSync(join(folder, 'berth.yaml'), 'utf8');
    expect(text).toContain(expected);
    expect(await berth(folder, ['deploy', '--no-wait'])).toMatchObject({ code: 0 });
    const again = await berth(folder, ['init']);
    expect([again.code, again.stderr]).toEqual([
      2,
      expect.stringContaining('There is a berth.yaml here already'),
    ]);
    expect(readFileSync(join(folder, 'berth.yaml'), 'utf8')).toBe(text);
  });

  it.skipIf(!existsSync('/usr/bin/node'))("runs on the system's Node.js, which may be 20", () => {
    const folder = folderOf({ 'compose.yaml': 'services:\n  web:\n    imag: x\n' });
    const run = () =>
      execFileSync('/usr/bin/node', [join(root, 'dist/cli/berth.mjs'), 'import'], {
        cwd: folder,
        encoding: 'utf8',
        stdio: 'pipe',
      });
    expect(run).toThrow('the Compose Specification has no such key. Did you mean "image"?');
    writeFileSync(
      join(folder, 'compose.yaml'),
      'name: old\nservices: {web: {image: "a:1", healthcheck: {test: x}}}',
    );
    expect(run()).toContain('name: old');
  });

  it('init writes nothing for a compose file that is refused', async () => {
    const folder = folderOf({ 'compose.yaml': 'services: {web: {image: x, pid: host}}' });
    expect(await berth(folder, ['init'])).toMatchObject({ code: 2 });
    expect(existsSync(join(folder, 'berth.yaml'))).toBe(false);
  });
});
