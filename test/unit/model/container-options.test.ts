import { describe, expect, it } from 'vitest';
import { Invalid } from '../../../shared/model/invalid.ts';
import { parseApplication } from '../../../shared/model/parse-application.ts';

const parse = (lines: string) =>
  parseApplication(
    `name: shop\nservices:\n  web:\n    image: shop/web\n    ${lines.replaceAll('\n', '\n    ')}\n`,
  ).services['web' as never];

const faultsOf = (lines: string): string[] => {
  try {
    parse(lines);
  } catch (error) {
    if (error instanceof Invalid) return error.issues.map((i) => `${i.line} ${i.path}: ${i.message}`);
    throw error;
  }
  return [];
};

describe('container options', () => {
  it('are read as the Compose specification means them', () => {
    expect(
      parse(
        'capAdd: [cap_net_bind_service]\nulimits: {nofile: 1024, core: {soft: 0, hard: -1}}\ntmpfs: [/tmp, {target: /cache, size: 16}]\nsysctls: {net.core.somaxconn: 1024}\nextraHosts: {machine: host-gateway}\ngroupAdd: [20]\nlogging: {maxSize: 1}',
      ),
    ).toMatchObject({
      capAdd: ['NET_BIND_SERVICE'],
      ulimits: { nofile: { soft: 1024, hard: 1024 }, core: { soft: 0, hard: -1 } },
      tmpfs: [{ target: '/tmp' }, { target: '/cache', size: 16 }],
      sysctls: { 'net.core.somaxconn': '1024' },
      groupAdd: ['20'],
      logging: { maxSize: 1, maxFiles: 3 },
    });
  });

  it.each([
    ['user: "a b"', /^5 services.web.user: expected a user or uid/],
    ['workingDirectory: srv', /expected a path in the container that begins with \//],
    ['labels: {berth.slot: 1}', /labels that begin with berth\. are Berth's own/],
    ['stopSignal: TERM', /expected a signal such as SIGTERM/],
    ['capAdd: [NET_ADMINS]', /expected a capability such as NET_ADMIN/],
    ['ulimits: {nofiles: 1}', /nofiles/],
    ['ulimits: {nofile: {soft: 2, hard: 1}}', /expected soft to be at most hard/],
    ['sysctls: {vm.max_map_count: 1}', /only net\.\*/],
    ['extraHosts: {db: nowhere}', /expected an IP address, or host-gateway/],
    ['hostname: a.b', /expected a host name without dots/],
    ['tmpfs: [/proc]', /not \/proc/],
    ['tmpfs: [{target: /tmp, mode: 1777}]', /permissions as text/],
    ['shmSize: 64m', /number/],
    ['entrypoint: []', /entrypoint/],
  ])('%s is refused with its place', (lines, fault) => {
    expect(faultsOf(lines)).toEqual([expect.stringMatching(fault)]);
  });
});

describe('volumes, configs and secrets', () => {
  const application = (web: string, more: string) =>
    `name: shop\nservices:\n  web:\n    image: shop/web\n    ${web}\n${more}`;
  const issuesOf = (web: string, more = '') => {
    try {
      parseApplication(application(web, more));
    } catch (error) {
      if (error instanceof Invalid) return error.issues.map((i) => `${i.line} ${i.path}: ${i.message}`);
      throw error;
    }
    return [];
  };

  it('are read in their short and long forms', () => {
    const more = 'volumes: {data: }\nconfigs: {a.conf: {content: x}}\nsecrets: {pw: {name: other}}\n';
    const text = application(
      'volumes: ["data:/data:ro", "/srv:/srv", {type: tmpfs, target: /x}]\n    configs: [a.conf]\n    secrets: [pw, {secret: token, env: TOKEN_FILE}]',
      more,
    );
    expect(Object.values(parseApplication(text).services)[0]).toMatchObject({
      volumes: [
        { type: 'volume', source: 'data', target: '/data', readOnly: true },
        { type: 'host', source: '/srv', target: '/srv' },
        { type: 'tmpfs', target: '/x' },
      ],
      configs: [{ config: 'a.conf' }],
      secrets: [{ secret: 'pw' }, { secret: 'token', env: 'TOKEN_FILE' }],
    });
  });

  it('values of variables and labels are texts, also where YAML sees a number or a boolean', () => {
    const text = application('environment: {A: 80, B: true, C: "", D: x}\n    labels: {a: 1}', '');
    expect(Object.values(parseApplication(text).services)[0]).toMatchObject({
      environment: { A: '80', B: 'true', C: '', D: 'x' },
      labels: { a: '1' },
    });
  });

  it.each([
    [
      'volumes: ["data:/data"]',
      '',
      /^5 services.web.volumes.0: expected one of the application's volumes, and it has none/,
    ],
    ['volumes: ["./data:/data"]', 'volumes: {data: {}}', /volumes\.0/],
    ['volumes: ["data:/data:rx"]', 'volumes: {data: {}}', /unknown key "data:\/data:rx"/],
    ['volumes: ["/srv/../etc:/x"]', '', /expected a path without \.\./],
    [
      'volumes: ["data:/a", "data:/a/"]',
      'volumes: {data: {}}',
      /expected another target than \/a, which volumes\.0 has/,
    ],
    ['configs: [b]', 'configs: {a: {content: x}}', /expected one of the application's configs \(a\)/],
    ['configs: []', 'configs: {a: {content: x, file: y}}', /configs\.a: expected either content or file/],
    ['environment: {A: }', '', /^5 services\.web\.environment\.A: expected a text, a number or a boolean/],
    ['environment: {A: {b: 1}}', '', /environment\.A: expected a text, a number or a boolean/],
    ['labels: {a: [1, 2]}', '', /labels\.a: expected a text, a number or a boolean/],
    ['secrets: [{secret: a, mode: 0400}]', '', /expected permissions as text/],
    ['environment: {F: x}\n    secrets: [{secret: a, env: F}]', '', /the environment says F already/],
    [
      'volumes: ["data:/a"]\n    rollout: {strategy: blue-green}',
      'volumes: {data: {}}',
      /a volume has one writer/,
    ],
  ])('%s is refused', (web, more, fault) => {
    expect(issuesOf(web, `${more}\n`)).toContainEqual(expect.stringMatching(fault));
  });
});
