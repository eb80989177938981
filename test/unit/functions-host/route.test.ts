import { describe, expect, it, test } from 'vitest';
import { route } from '../../../infra/local/functions-host/http/route.ts';
import { router } from '../../../infra/local/functions-host/http/router.ts';

test.each([
  ['things', '/things', {}],
  ['things', '/Things/', {}],
  ['things/{id}', '/things/a%2Fb', { id: 'a/b' }],
  ['things/{id?}', '/things', {}],
  ['things/{id:int}', '/things/12', { id: '12' }],
  ['files/{name}.{ext}', '/files/a.b', { name: 'a', ext: 'b' }],
  ['v2/{*rest}', '/v2', {}],
  ['v2/{*rest}', '/v2/a/blobs/sha256:1', { rest: 'a/blobs/sha256:1' }],
  ['{*rest}', '/', {}],
  ['things/{id}', '/things/%zz', { id: '%zz' }],
  ['some-things', '/some-things', {}],
])('%s takes %s', (template, path, params) => {
  expect(route(template).match(path)).toEqual(params);
});

test.each([
  ['things', '/things/1'],
  ['things/{id}', '/things'],
  ['things/{id:int}', '/things/x'],
  ['a.b', '/axb'],
])('%s does not take %s', (template, path) => {
  expect(route(template).match(path)).toBeUndefined();
});

test.each(['{*rest}/more', '{id:regex}', '{broken'])('%s is no template', (template) => {
  expect(() => route(template)).toThrow(TypeError);
});

const http = (name: string, own: string, methods = ['GET'], authLevel = 'anonymous') => ({
  name,
  bindings: { request: { type: 'httpTrigger', route: own, methods, authLevel } },
});

describe('the router', () => {
  it('prefers literals to constrained parameters, to free ones, to the rest of the path', () => {
    const find = router(
      [http('rest', '{*rest}'), http('free', 'a/{x}'), http('number', 'a/{x:int}'), http('literal', 'a/b')],
      '',
    );
    const name = (path: string) => find('GET', path)?.metadata.name;
    expect(['/a/b', '/a/7', '/a/c', '/a/c/d'].map(name)).toEqual(['literal', 'number', 'free', 'rest']);
  });

  it('tells methods apart and puts the prefix before each route', () => {
    const find = router([http('read', 'x'), http('write', 'x', ['POST'])], 'api');
    expect(find('POST', '/api/x')?.metadata.name).toBe('write');
    expect(find('PUT', '/api/x')).toBeUndefined();
    expect(find('GET', '/x')).toBeUndefined();
  });

  it('refuses functions that ask for keys, by name', () => {
    expect(() => router([http('keyed', 'x', ['GET'], 'function')], '')).toThrow("'keyed'");
  });
});
