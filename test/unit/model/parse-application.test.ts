import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ApplicationSpec } from '../../../shared/model/application.ts';
import { Invalid } from '../../../shared/model/invalid.ts';
import { parseApplication } from '../../../shared/model/parse-application.ts';
import { keysAt } from '../../../shared/model/schema-keys.ts';

const faultsOf = (text: string) => {
  try {
    parseApplication(text);
  } catch (error) {
    if (error instanceof Invalid)
      return error.issues.map((i) => `${i.line}:${i.column} ${i.path}: ${i.message}`);
    throw error;
  }
  return [];
};

describe('berth.yaml', () => {
  const example = readFileSync(new URL('../../../docs/berth.yaml', import.meta.url), 'utf8');

  it('has a documented example that validation reads', () => {
    const spec = parseApplication(example);
    expect(spec.name).toBe('shop');
    expect(Object.values(spec.services)[0]?.environment).toEqual({ GREETING: 'hello', WORKERS: '2' });
  });

  it.each([
    [[]],
    [['services', 'web']],
    [['services', 'web', 'health']],
    [['services', 'web', 'resources']],
    [['jobs', 'report']],
    [['jobs', 'report', 'schedule']],
    [['pools', 'default']],
  ])('has an example of every key at %j', (path) => {
    const spec = parseApplication(example);
    const at = path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], spec);
    const known = keysAt(ApplicationSpec, path);
    expect(known.length).toBeGreaterThan(0);
    for (const key of known) {
      expect(Object.keys(at as object)).toContain(key);
      expect(example).toMatch(new RegExp(`^\\s*${key}:`, 'm'));
    }
  });

  it.each([
    ['a tab', 'name: shop\nservices:\n\tweb: {}\n', /^3:1 : /],
    ['a key twice', 'name: shop\nname: shop\n', /^2:1 : .*unique/],
    ['an open bracket', 'name: [', /^1:8 : /],
    ['two documents', 'name: shop\n---\nname: two\n', /^2:1|^3:1/],
    ['nothing', '', /^1:1 : nothing is in it: expected name, services, jobs/],
    ['a comment alone', '# soon\n', /^1:1 : nothing is in it: expected name/],
    ['a program', '\x7fELF\x02\0\0: [', /^1:1 : expected text, found bytes that are none$/],
    [
      'a certificate that is no name',
      'name: a\nservices:\n  b: {image: a, port: 1, routes: [{host: h, tls: {certificate: c}}]}\n',
      /routes.0.tls: expected off, acme, or the name of a certificate that was set/,
    ],
    ['a number without end', 'name: a\nservices:\n  b: {image: a, port: 1e400}\n', /found Infinity$/],
    ['text', 'hello', /^1:1 : expected object, found "hello"$/],
    ['no name', 'services: {}\n', /^1:1 name: missing: expected string$/],
    [
      'a misspelt key',
      'name: shop\nservices:\n  web:\n    imgae: a\n    image: a\n',
      /^4:5 services.web: unknown key "imgae". Did you mean "image"\? Expected one of image, command/,
    ],
    [
      'a number as text',
      'name: shop\nservices:\n  web:\n    image: a\n    replicas: two\n',
      /^5:15 services.web.replicas: expected number, found "two"$/,
    ],
    [
      'a port out of range',
      'name: a\nservices:\n  b:\n    image: a\n    port: 70000\n',
      /^5:11 .*<=65535, found 70000/,
    ],
    [
      'no image',
      'name: a\nservices:\n  b:\n    replicas: 1\n',
      /^3:3 services.b.image: missing: expected string$/,
    ],
    [
      'a bad image',
      'name: a\nservices:\n  b: {image: A/B}\n',
      /^3:14 services.b.image: "A\/B" is not an image/,
    ],
    [
      'a bad name',
      'name: a\nservices:\n  Web_1: {image: a}\n',
      /^3:3 services: the name "Web_1" cannot be used: expected 1/,
    ],
    [
      'a name that Berth keeps for itself',
      'name: a\npools:\n  golden-images: {maximum: 2}\n',
      /^3:3 pools.golden-images: Berth keeps this name/,
    ],
    [
      'a bad command',
      'name: a\njobs:\n  j:\n    image: a\n    command: [sh, 1]\n',
      /^5:19 jobs.j.command.1: expected string, found 1$/,
    ],
    [
      'a bad cron',
      "name: a\njobs:\n  j:\n    image: a\n    schedule: {cron: '61 * * * *'}\n",
      /^5:22 jobs.j.schedule.cron: /,
    ],
    [
      'a bad zone',
      "name: a\njobs:\n  j:\n    image: a\n    schedule: {cron: '* * * * *', timeZone: Mars/Base}\n",
      /^5:45 jobs.j.schedule.timeZone: .*IANA/,
    ],
  ])('says where it finds %s', (_what, text, expected) => {
    expect(faultsOf(text)[0]).toMatch(expected);
  });

  it('names all faults in the order of lines', () => {
    const faults = faultsOf('name: A\nservices:\n  web:\n    image: 7\n    cpu: 1\n');
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(['1', '4', '5']);
  });

  it('says of a number that is far too great what its field takes, once', () => {
    const text = 'name: a\nservices:\n  b: {image: a, replicas: 99999999999999999999999}\n';
    expect(faultsOf(text)).toEqual(['3:27 services.b.replicas: expected number to be <=1000, found 1e+23']);
  });

  it('tells the first mistakes of a text that is no YAML', () => {
    expect(faultsOf('a: b: c\n'.repeat(500))).toHaveLength(10);
  });

  it('refuses aliases that grow without end', () => {
    const layers = Array.from(
      { length: 12 },
      (_, n) => `a${n}: &a${n} [${n === 0 ? 'x' : Array(10).fill(`*a${n - 1}`)}]`,
    );
    expect(faultsOf(layers.join('\n'))[0]).toMatch(/alias/i);
  });
});
