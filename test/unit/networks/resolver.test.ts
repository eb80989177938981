import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layoutOf } from '../../../shared/networks/address-plan.ts';
import { networkScript } from '../../../shared/networks/network-agent.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;

/** Asks the script's own functions, in one process: reads packets in hex from stdin, each after who asks. */
const driver = `
import json, sys, network
network.known.update(json.loads(sys.argv[1]))
network.forward = lambda data, stream: data[:2] + b'forwarded'
for line in sys.stdin:
    source, kind, packet = line.split()
    try:
        print(network.answer_to(bytes.fromhex(packet), source, kind == 'tcp').hex())
    except Exception as error:
        print('refused %s' % type(error).__name__)
if len(sys.argv) > 2:
    print('\\n'.join(network.filter_lines(network.known['place'])))
`;
const many = Array.from({ length: 60 }, (_, index) => `100.64.32.${150 + index}`);
const known = {
  place: {
    range: '100.64.0.0/10',
    subnet: '100.64.32.0/19',
    machines: '10.20.0.0/16',
    publishedPorts: [20_000, 29_999],
    ...layoutOf('100.64.0.0/10'),
  },
  names: {
    dev: {
      environment: 'dev',
      number: 1,
      services: { 'shop.api': ['100.64.32.130'], 'shop.down': [], 'shop.many': many },
    },
    prod: { environment: 'prod', number: 2, services: { 'shop.api': ['100.64.33.2'] } },
  },
};
/** In dev and prod by their addresses; of a network that is not told; the machine itself; another machine's. */
const DEV = '100.64.32.140';
const PROD = '100.64.33.9';

const query = (name: string, type = 1): string => {
  const labels = name
    .split('.')
    .map((label) => `${Buffer.from([label.length]).toString('hex')}${Buffer.from(label).toString('hex')}`);
  return (
    `004201000001000000000000000${''}`.slice(0, 24) +
    labels.join('') +
    '00' +
    type.toString(16).padStart(4, '0') +
    '0001'
  );
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-resolver-'));
  writeFileSync(join(folder, 'network.py'), networkScript);
  writeFileSync(join(folder, 'agent.py'), 'def read(path):\n    return None\n');
  writeFileSync(join(folder, 'driver.py'), driver);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (lines: readonly string[], ...more: string[]): string[] =>
  execFileSync('python3', [join(folder, 'driver.py'), JSON.stringify(known), ...more], {
    input: lines.join('\n'),
    encoding: 'utf8',
  })
    .trim()
    .split('\n');

function read(hex: string) {
  const bytes = Buffer.from(hex, 'hex');
  const count = bytes.readUInt16BE(6);
  const addresses = Array.from({ length: count }, (_, index) => {
    const end = bytes.length - 16 * (count - index - 1);
    return [...bytes.subarray(end - 4, end)].join('.');
  });
  return { code: bytes[3]! & 15, cut: (bytes[2]! & 2) !== 0, addresses };
}

describe.skipIf(!hasPython)('names on a machine', () => {
  it('are answered within the asker’s environment alone', () => {
    const asked = [
      `${DEV} udp ${query('api.shop.dev.berth')}`,
      `${PROD} udp ${query('api.shop.prod.berth')}`,
      `${DEV} udp ${query('API.Shop.dev.berth')}`,
      `${DEV} udp ${query('api.shop.prod.berth')}`,
      `${DEV} udp ${query('nobody.shop.dev.berth')}`,
      `100.64.34.9 udp ${query('api.shop.dev.berth')}`,
      `100.64.64.140 udp ${query('api.shop.dev.berth')}`,
      `172.20.0.3 udp ${query('api.shop.dev.berth')}`,
    ];
    expect(run(asked).map(read)).toMatchObject([
      { code: 0, addresses: ['100.64.32.130'] },
      { code: 0, addresses: ['100.64.33.2'] },
      { code: 0, addresses: ['100.64.32.130'] },
      ...Array(5).fill({ code: 3, addresses: [] }),
    ]);
  });

  it('of a service without a healthy replica, and of another kind of record, have no answer and no error', () => {
    const asked = [
      `${DEV} udp ${query('down.shop.dev.berth')}`,
      `${DEV} udp ${query('api.shop.dev.berth', 28)}`,
    ];
    expect(run(asked).map(read)).toEqual(Array(2).fill({ code: 0, cut: false, addresses: [] }));
  });

  it('lead to a few replicas, in changing order; with tasks. before them to all', () => {
    const [few, packet, stream] = run([
      `${DEV} udp ${query('many.shop.dev.berth')}`,
      `${DEV} udp ${query('tasks.many.shop.dev.berth')}`,
      `${DEV} tcp ${query('tasks.many.shop.dev.berth')}`,
    ]).map(read);
    expect(few?.addresses).toHaveLength(8);
    expect(packet).toMatchObject({ cut: true });
    expect(stream?.cut).toBe(false);
    expect([...(stream?.addresses ?? [])].sort()).toEqual([...many].sort());
  });

  it('of elsewhere are asked elsewhere', () => {
    const [answer] = run([`${DEV} udp ${query('example.com')}`]);
    expect(
      Buffer.from(answer ?? '', 'hex')
        .subarray(2)
        .toString(),
    ).toBe('forwarded');
  });

  it('that are no question are refused, whatever they are', () => {
    const whole = query('api.shop.dev.berth');
    const broken = [
      ...Array.from({ length: whole.length / 2 - 1 }, (_, bytes) => whole.slice(0, 2 * (bytes + 1))),
      `${whole.slice(0, 24)}c00c00010001`,
      `${whole.slice(0, 24)}3f00010001`,
      `${whole.slice(0, 24)}02ffff0000010001`,
    ];
    for (const answer of run(broken.map((packet) => `${DEV} udp ${packet}`)))
      expect(answer).toMatch(/^refused /);
  });
});

describe.skipIf(!hasPython)('rules of the packet filter', () => {
  it('pass nothing between machines but from one environment to itself', () => {
    const lines = run([`${DEV} udp ${query('x')}`], 'rules').slice(1);
    const passed = lines.filter((line) => line.endsWith('ACCEPT') && line.includes('berth-wg'));
    expect(passed).toHaveLength(126);
    expect(passed[0]).toBe(
      '-i berth-wg -o berth-e1 -s 100.64.0.128/255.192.31.128 -d 100.64.0.128/255.192.31.128 -j ACCEPT',
    );
    for (const line of passed) {
      const [, from, to] = /-s (\S+) -d (\S+)/.exec(line) ?? [];
      expect(from).toBe(to);
    }
    expect(lines.slice(126)).toEqual([
      '-i docker0 -o berth-e+ -m conntrack --ctstate DNAT -j ACCEPT',
      '-i berth-e+ -o docker0 -m conntrack --ctstate ESTABLISHED -j ACCEPT',
      '-i berth-wg -j DROP',
      '-o berth-wg -j DROP',
      '-i berth-e+ -d 169.254.169.254/32 -j DROP',
      '-i berth-e+ -d 10.20.0.0/16 -p tcp --dport 20000:29999 -j DROP',
    ]);
  });
});
