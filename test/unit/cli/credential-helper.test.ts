import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../cli/connection.ts';
import { answer } from '../../../cli/credential-helper/answer.ts';
import { withHelper, withoutHelper } from '../../../cli/credential-helper/docker-config.ts';
import { hostOf } from '../../../cli/credential-helper/host.ts';

const connection: Connection = {
  url: new URL('https://10.0.0.1:8443'),
  key: 'berth_x_secret',
  ca: undefined,
  registries: ['10.0.0.1:8443', '127.0.0.1:8443'],
  origin: 'test',
};
const ask = (action: string, input: string, known: Connection | undefined = connection) => {
  const { text, exitCode } = answer(action, input, known, '1.2.3');
  return [exitCode, text];
};
const given = (more: object) =>
  JSON.stringify({ ServerURL: '10.0.0.1:8443', Username: 'u', Secret: 's', ...more });

describe('docker-credential-berth', () => {
  it.each(['10.0.0.1:8443', 'https://10.0.0.1:8443', 'https://10.0.0.1:8443/v2/', '127.0.0.1:8443\n'])(
    'gives the key for %j',
    (server) => {
      const [exitCode, text] = ask('get', server);
      expect([exitCode, JSON.parse(String(text))]).toEqual([
        0,
        { ServerURL: server.trim(), Username: 'berth', Secret: 'berth_x_secret' },
      ]);
    },
  );

  it('gives it to nobody else, whatever the name', () => {
    const names = [
      '10.0.0.1',
      '10.0.0.1:8444',
      '10.0.0.1:84430',
      'https://10.0.0.1:8443@evil.test',
      'docker.io',
    ];
    for (const server of [...names, 'https://evil.test/10.0.0.1:8443', 'evil.test#10.0.0.1:8443'])
      expect(ask('get', server), server).toEqual([1, 'credentials not found in native keychain']);
    fc.assert(
      fc.property(fc.string(), (server) => {
        if (!connection.registries.includes(hostOf(server))) expect(ask('get', server)[0]).toBe(1);
      }),
    );
  });

  it('speaks the protocol, its errors word for word', () => {
    expect(ask('get', '10.0.0.1:8443', undefined)).toEqual([0, expect.any(String)]);
    expect(answer('get', 'x', undefined, '1')).toEqual({
      exitCode: 1,
      text: 'credentials not found in native keychain',
    });
    expect(ask('get', ' \n')).toEqual([1, 'no credentials server URL']);
    expect(ask('erase', '')).toEqual([1, 'no credentials server URL']);
    expect(ask('erase', 'other')).toEqual([1, 'credentials not found in native keychain']);
    expect(ask('erase', '10.0.0.1:8443')).toEqual([1, expect.stringContaining('berth registry logout')]);
    expect(ask('store', given({ ServerURL: '' }))).toEqual([1, 'no credentials server URL']);
    expect(ask('store', given({ Username: '' }))).toEqual([1, 'no credentials username']);
    expect(ask('store', given({}))).toEqual([1, expect.stringContaining('keeps nothing')]);
    expect(ask('store', given({ Secret: connection.key }))).toEqual([0, '']);
    expect(ask('store', given({ Secret: connection.key, ServerURL: 'other' }))[0]).toBe(1);
    expect(ask('store', 'nonsense')[0]).toBe(1);
    expect(ask('list', 'unused')).toEqual([0, '{"10.0.0.1:8443":"berth","127.0.0.1:8443":"berth"}']);
    expect(answer('list', '', undefined, '1').text).toBe('{}');
    expect(ask('version', '')).toEqual([0, 'docker-credential-berth (berth) v1.2.3']);
    expect(ask('own', '')).toEqual([1, 'Unknown credential action `own`']);
  });
});

describe("docker's configuration", () => {
  const changed = (text: string | undefined, hosts = ['h:1'], force = false) => {
    const change = withHelper(text, hosts, force);
    return change.kind === 'changed' ? change.text : change;
  };

  it('is made where there is none, as docker writes it', () => {
    for (const none of [undefined, '', ' \n'])
      expect(changed(none)).toBe('{\n\t"credHelpers": {\n\t\t"h:1": "berth"\n\t}\n}\n');
  });

  it('keeps everything else, its order and its indent', () => {
    const text =
      '{\n  "auths": {"a": {"auth": "eA=="}},\n  "credsStore": "pass",\n  "credHelpers": {"gcr.io": "gcloud"},\n  "proxies": {}\n}\n';
    const after = changed(text) as string;
    expect(after).toContain('\n  "auths"');
    expect(Object.keys(JSON.parse(after))).toEqual(['auths', 'credsStore', 'credHelpers', 'proxies']);
    expect(JSON.parse(after)).toEqual({
      ...JSON.parse(text),
      credHelpers: { 'gcr.io': 'gcloud', 'h:1': 'berth' },
    });
    expect(withHelper(after, ['h:1'], false)).toEqual({ kind: 'unchanged' });
    const back = withoutHelper(after, ['h:1', 'gcr.io']);
    expect(back.kind === 'changed' && JSON.parse(back.text)).toEqual(JSON.parse(text));
  });

  it('has no empty list of helpers left behind', () => {
    const back = withoutHelper('{"a": 1, "credHelpers": {"h:1": "berth"}}', ['h:1']);
    expect(back.kind === 'changed' && JSON.parse(back.text)).toEqual({ a: 1 });
    expect(withoutHelper(undefined, ['h:1'])).toEqual({ kind: 'unchanged' });
  });

  it("leaves another's helper alone, unless forced, and what is no configuration at all", () => {
    const other = '{"credHelpers": {"h:1": "pass"}}';
    expect(changed(other)).toEqual({ kind: 'taken', host: 'h:1', helper: 'pass' });
    expect(JSON.parse(changed(other, ['h:1'], true) as string)).toEqual({ credHelpers: { 'h:1': 'berth' } });
    for (const text of ['{', '[]', 'null', '{"credHelpers": []}', '{"credHelpers": {"a": 1}}'])
      expect(changed(text)).toMatchObject({ kind: 'malformed' });
  });

  it('is the same again after login and logout, whatever was in it', () => {
    const configs = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });
    const helpers = fc.dictionary(fc.constantFrom('a', 'b', 'c:1'), fc.constantFrom('pass', 'x'), {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(configs, helpers, (config, credHelpers) => {
        const text = JSON.stringify({ ...config, credHelpers });
        const login = withHelper(text, ['h:1', 'h:2'], false);
        if (login.kind !== 'changed') throw new Error(login.kind);
        const logout = withoutHelper(login.text, ['h:1', 'h:2']);
        if (logout.kind !== 'changed') throw new Error(logout.kind);
        const { credHelpers: left = {}, ...rest } = JSON.parse(logout.text);
        expect(left).toEqual(credHelpers);
        const { credHelpers: _before, ...before } = JSON.parse(text);
        expect(rest).toEqual(before);
      }),
    );
  });
});
