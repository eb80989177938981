import { describe, expect, it } from 'vitest';
import { concerns } from '../../../shared/events/concerns.ts';

const web = { environment: 'dev', application: 'shop', service: 'web' };

describe('an event is about', () => {
  it.each([
    ['a command to a service', { type: 'scale', ...web, replicas: 2 }, web, true],
    ['another service of it', { type: 'scale', ...web, service: 'db' }, web, false],
    [
      'its deployment, all of it',
      { type: 'deploy', environment: 'dev', application: { name: 'shop' } },
      web,
      true,
    ],
    ['what it names as key', { key: web, container: 'x' }, web, true],
    ['a job of that name', { key: { environment: 'dev', application: 'shop', job: 'web' } }, web, true],
    ['another environment', { key: { ...web, environment: 'prod' } }, web, false],
    ['an application', { key: web }, { application: 'shop' }, true],
    ['another application', { key: web }, { application: 'other' }, false],
    ['a push', { repository: 'shop/web' }, web, false],
    ['nothing', null, web, false],
  ])('%s', (_, data, wanted, expected) => {
    expect(concerns({ data }, wanted)).toBe(expected);
  });
});
