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
