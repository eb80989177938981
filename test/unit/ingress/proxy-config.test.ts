import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { covers, type ProxyInput, proxyConfig } from '../../../shared/ingress/proxy-config.ts';
import { backendName, RouteRow } from '../../../shared/ingress/route-row.ts';
import { assignSlots, isIn } from '../../../shared/ingress/slots.ts';
import { RouteSpec } from '../../../shared/model/route.ts';

const key = { environment: 'dev', application: 'shop', service: 'web' };
const rowOf = (route: unknown, health: { path?: string } = {}): RouteRow =>
  RouteRow.parse({ key, route: RouteSpec.parse(route), health, at: '2026-01-01T00:00:00Z' });
const server = (slot: number, generation = 1) => ({
  replica: `dev.shop.web.r1.${slot}.g${generation}`,
  address: `10.0.0.${slot + 4}`,
  port: 20_000 + slot,
});
const inputOf = (...rows: RouteRow[]): ProxyInput => ({
  routes: rows,
  servers: Object.fromEntries(rows.map((row) => [backendName(row), assignSlots([], [server(0), server(1)])])),
  certificates: [],
  challenges: {},
});

/** Everything that a route can have. */
const everything = rowOf(
  {
    host: '*.example.com',
    path: '/api/v1',
    stripPrefix: true,
    tls: 'wild',
    sticky: { cookie: 'stay' },
    limits: { body: 64, connections: 10, requestsPerSecond: 5 },
    timeouts: { connect: 0.5, request: 5, idle: 60 },
  },
  { path: "/it's ok" },
);

const found = spawnSync('haproxy', ['-v']).status === 0;
const check = (input: ProxyInput): string => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-proxy-'));
  mkdirSync(join(folder, 'certificates'));
  const file = join(folder, 'haproxy.cfg');
  // A socket of its own, so that no proxy of this computer is touched.
  writeFileSync(file, proxyConfig(input).text.replace('/run/haproxy.sock', join(folder, 'socket')));
  const { status, stderr } = spawnSync('haproxy', ['-c', '-f', file], { encoding: 'utf8' });
  rmSync(folder, { recursive: true, force: true });
  return status === 0 ? 'valid' : stderr;
};

describe('configuration of the proxy', () => {
  it('asks exact hosts before wildcards before any, and longer paths first', () => {
    const { text } = proxyConfig(
      inputOf(
        rowOf({ host: '*' }),
        rowOf({ host: '*.example.com' }),
        rowOf({ host: 'shop.example.com' }),
        rowOf({ host: 'shop.example.com', path: '/api/' }),
      ),
    );
    expect(text.split('\n').filter((line) => line.includes('use_backend'))).toEqual([
      "  use_backend route_shop_2e_example_2e_com_2f_api if { var(txn.host) -m str 'shop.example.com' } { path '/api' }",
      "  use_backend route_shop_2e_example_2e_com_2f_api if { var(txn.host) -m str 'shop.example.com' } { path_beg '/api/' }",
      "  use_backend route_shop_2e_example_2e_com_2f_ if { var(txn.host) -m str 'shop.example.com' }",
      "  use_backend route__2a__2e_example_2e_com_2f_ if { var(txn.host) -m reg '^[^.]+\\.example\\.com$' }",
      '  use_backend route__2a__2f_ if TRUE',
    ]);
  });

  it('is this for a route with everything', () => {
    const { text } = proxyConfig({
      ...inputOf(everything),
      certificates: [{ name: 'wild', hosts: ['*.example.com'], fingerprint: 'aa' }],
      challenges: { token: 'token.thumb' },
    });
    expect(text.slice(text.indexOf('frontend web'))).toMatchSnapshot();
  });

  it('differs in commands alone where only servers do', () => {
    const row = rowOf({ host: 'a.example' });
    const before = inputOf(row);
    const slots = before.servers[backendName(row)] ?? [];
    const after = { ...before, servers: { [backendName(row)]: assignSlots(slots, [server(1), server(2)]) } };
    expect(proxyConfig(after).structure).toBe(proxyConfig(before).structure);
    expect(proxyConfig(after).commands).not.toEqual(proxyConfig(before).commands);
    expect(proxyConfig(after).commands[0]).toContain('s0 state maint;');
  });

  it('says that a certificate is missing instead of answering in the clear', () => {
    const row = rowOf({ host: 'a.example', tls: 'acme' });
    expect(proxyConfig(inputOf(row)).text).toContain('status 503');
    const certificates = [{ name: 'a', hosts: ['a.example'], fingerprint: '1' }];
    expect(proxyConfig({ ...inputOf(row), certificates }).text).toContain('redirect scheme https');
  });

  it.skipIf(!found)('is what haproxy takes', () => {
    expect(check(inputOf(everything, rowOf({ host: '*' }), rowOf({ host: 'a.example', tls: 'acme' })))).toBe(
      'valid',
    );
    expect(check({ ...inputOf(), challenges: { 'a-b_c': 'a-b_c.thumb' } })).toBe('valid');
    const certificates = [{ name: 'a', hosts: ['a.example'], fingerprint: '1' }];
    expect(check({ ...inputOf(rowOf({ host: 'a.example', tls: 'a' })), certificates })).toBe('valid');
  });

  it('knows which hosts a name of a certificate is good for', () => {
    expect(covers('*.a.example', 'b.a.example')).toBe(true);
    expect(covers('*.a.example', '*.a.example')).toBe(true);
    expect(covers('*.a.example', 'c.b.a.example')).toBe(false);
    expect(covers('*.a.example', 'a.example')).toBe(false);
  });
});

describe('places of servers', () => {
  const names = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 40 });

  it('hold every server once; who stays keeps its place, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(names, { maxLength: 8 }), (rounds) => {
        let slots = assignSlots([], []);
        for (const round of rounds) {
          const before = slots;
          const servers = round.map((slot) => server(slot));
          slots = assignSlots(before, servers);
          const placed = slots.filter(isIn);
          expect(placed.map(({ replica }) => replica).sort()).toEqual(
            servers.map(({ replica }) => replica).sort(),
          );
          for (const [index, slot] of before.entries())
            if (isIn(slot) && servers.some(({ replica }) => replica === slot.replica))
              expect(slots[index]).toEqual(slot);
          expect(slots.length).toBeGreaterThanOrEqual(before.length);
        }
      }),
    );
  });
});
