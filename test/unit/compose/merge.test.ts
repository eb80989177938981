import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalFile } from '../../../shared/compose/canonical.ts';
import { Faults } from '../../../shared/compose/faults.ts';
import { merge, withoutResets } from '../../../shared/compose/merge.ts';
import { readTrees } from '../../../shared/compose/read-tree.ts';
import { type MapNode, plain, type TreeNode } from '../../../shared/compose/tree.ts';
import { faultsOf, treeOf } from './project-of.ts';

const both = (first: string, second: string) =>
  treeOf(
    {
      'compose.yaml': `services:\n  web:\n    image: x\n${first.replace(/^/gm, '    ')}`,
      'b.yaml': `services:\n  web:\n${second.replace(/^/gm, '    ')}`,
    },
    { files: ['compose.yaml', 'b.yaml'] },
  ).services.web;

describe('several files (Compose Specification, 13-merge)', () => {
  it.each<[string, string, string, object]>([
    ['scalars are replaced', 'user: a', 'user: b', { user: 'b' }],
    ['commands are replaced', 'command: [a, b]', 'command: c', { command: 'c' }],
    ['commands are taken away', 'command: [a, b]', 'command: ', { command: null }],
    [
      'environment is merged, whatever its form',
      'environment: [A=1, B=2]',
      'environment: {B: 3, C: 4}',
      { environment: { A: '1', B: '3', C: '4' } },
    ],
    ['lists are appended', 'security_opt: [a]', 'security_opt: [b]', { security_opt: ['a', 'b'] }],
    ['what comes twice comes once', 'cap_add: [A, B]', 'cap_add: [B, C]', { cap_add: ['A', 'B', 'C'] }],
    [
      'of lists without names too',
      'security_opt: [a, b]',
      'security_opt: [b, c]',
      { security_opt: ['a', 'b', 'c'] },
    ],
    [
      'a port is the same whether its protocol is said or not',
      'ports: [{target: 80, published: "8080"}]',
      'ports: ["8080:80/tcp"]',
      { ports: [{ target: 80, published: '8080', protocol: 'tcp', mode: 'ingress' }] },
    ],
    [
      'addresses of one host come together',
      'extra_hosts: ["a:1.1.1.1"]',
      'extra_hosts: {a: 2.2.2.2}',
      { extra_hosts: { a: ['1.1.1.1', '2.2.2.2'] } },
    ],
    ['dns of one and of several', 'dns: 1.1.1.1', 'dns: [8.8.8.8]', { dns: ['1.1.1.1', '8.8.8.8'] }],
    [
      'mounts at one place replace each other',
      'volumes: ["./a:/x", "./b:/y"]',
      'volumes: ["./c:/x"]',
      {
        volumes: [
          { type: 'bind', source: 'c', target: '/x' },
          { type: 'bind', source: 'b', target: '/y' },
        ],
      },
    ],
    [
      'the health check is merged but for its test',
      'healthcheck: {test: [CMD, a], retries: 3}',
      'healthcheck: {test: b, timeout: 2s}',
      { healthcheck: { test: ['CMD-SHELL', 'b'], retries: 3, timeout: '2s' } },
    ],
    [
      'logging of another driver is replaced',
      'logging: {driver: a, options: {x: "1"}}',
      'logging: {driver: b}',
      { logging: { driver: 'b' } },
    ],
    [
      'logging of the same driver is merged',
      'logging: {driver: a, options: {x: "1"}}',
      'logging: {options: {y: "2"}}',
      { logging: { driver: 'a', options: { x: '1', y: '2' } } },
    ],
    [
      'dependencies in both forms',
      'depends_on: [web2]',
      'depends_on: {web2: {condition: service_healthy, required: false}}',
      { depends_on: { web2: { condition: 'service_healthy', required: false } } },
    ],
    ['!reset takes away', 'ports: ["80:80"]', 'ports: !reset []', { image: 'x' }],
    ['!reset of a scalar', 'user: me', 'user: !reset null', { image: 'x' }],
    ['!override replaces', 'dns: [1.1.1.1]', 'dns: !override [8.8.8.8]', { dns: ['8.8.8.8'] }],
    [
      '!override of a variable in between',
      'environment: {A: 1}',
      'environment: !override {B: 2}',
      { environment: { B: '2' } },
    ],
  ])('%s', (_, first, second, expected) => expect(both(first, second)).toMatchObject(expected));

  it('ports are appended, and the same port comes once', () =>
    expect(both('ports: ["80:80", 443]', 'ports: ["80:80", "81:80"]').ports).toHaveLength(3));

  it('leaves nothing where !reset was', () => {
    const { ports, user } = both('ports: ["80:80"]\nuser: me', 'ports: !reset []\nuser: !reset null');
    expect([ports, user]).toEqual([undefined, undefined]);
  });

  it('forms that do not fit are refused, with both places', () =>
    expect(
      faultsOf(
        {
          'compose.yaml': 'services: {a: {image: x}}\nx-a: {b: 1}\n',
          'b.yaml': 'services: {a: {image: x}}\nx-a: [1]\n',
        },
        { files: ['compose.yaml', 'b.yaml'] },
      ),
    ).toEqual(['b.yaml:2:1 x-a cannot be merged with what compose.yaml:2 says: expected the same form.']));
});

/** A service with a few keys of every kind of rule. */
const service = fc.record(
  {
    image: fc.constantFrom('a', 'b'),
    command: fc.constantFrom(['x'], ['y', 'z']),
    environment: fc.dictionary(fc.constantFrom('A', 'B', 'C'), fc.constantFrom('1', '2')),
    dns: fc.uniqueArray(fc.constantFrom('1.1.1.1', '2.2.2.2', '3.3.3.3')),
    ports: fc.uniqueArray(fc.constantFrom('80:80', '81:80', '443')),
    volumes: fc.uniqueArray(fc.constantFrom('v:/a', 'w:/a', '/b')),
    labels: fc.uniqueArray(fc.constantFrom('a=1', 'a=2', 'b')),
    deploy: fc.record({ replicas: fc.nat(3) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
/** YAML, since JSON has no tags. */
const file = fc
  .tuple(
    service,
    fc.constantFrom('', '!reset', '!override'),
    fc.constantFrom('environment', 'dns', 'ports', 'volumes', 'command', 'deploy'),
  )
  .map(([keys, tag, tagged]) => {
    const lines = Object.entries(keys).map(
      ([name, value]) => `    ${name}: ${name === tagged ? tag : ''} ${JSON.stringify(value)}`,
    );
    return `services:\n  web:\n    hostname: h\n${lines.join('\n')}\n`;
  });

function canonicalOf(text: string): TreeNode {
  const faults = new Faults();
  const [tree] = readTrees(text, 'f', faults);
  const result = canonicalFile(tree as MapNode, faults);
  faults.check();
  return result;
}
const join = (...trees: readonly TreeNode[]): TreeNode => trees.reduce((a, b) => merge(a, b, new Faults()));
/** Order of keys says nothing. */
const said = (tree: TreeNode): unknown => plain(withoutResets(tree));

describe('merging, whatever is merged', () => {
  it('does not depend on which files are merged first', () =>
    fc.assert(
      fc.property(file, file, file, (a, b, c) => {
        const [x, y, z] = [canonicalOf(a), canonicalOf(b), canonicalOf(c)];
        expect(said(join(join(x, y), z))).toEqual(said(join(x, join(y, z))));
      }),
    ));

  it('of a file with itself gives what it says: its lists here hold nothing twice', () =>
    fc.assert(
      fc.property(file, (text) => {
        const tree = canonicalOf(text);
        const once = join(tree, tree);
        expect(said(join(once, tree))).toEqual(said(once));
      }),
    ));
});
