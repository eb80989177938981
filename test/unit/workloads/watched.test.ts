import { describe, expect, test } from 'vitest';
import { parseApplication } from '../../../shared/model/parse-application.ts';
import { healthcheckOf, watchedOf } from '../../../shared/workloads/watched.ts';

const specOf = (web: string) => {
  const spec = parseApplication(`name: shop\nservices:\n  web: {image: 'shop/web:1', ${web}}\n`);
  return Object.values(spec.services)[0]!;
};
const usual = { every: 10, failures: 3, deadline: 30, dead: false };

describe('what a replica is asked once it runs', () => {
  test.each([
    [
      'its path, where it has no liveness check',
      'port: 80, health: {path: /up}',
      [{ ...usual, within: 2, path: '/up' }],
    ],
    ['its port', 'port: 80', [{ ...usual, within: 2 }]],
    ['nothing, without port and command', 'replicas: 1', []],
    [
      'its liveness path alone',
      'port: 80, health: {path: /up, liveness: {path: /live, interval: 5, failures: 2}}',
      [{ every: 5, within: 5, failures: 2, path: '/live', deadline: 30, dead: true }],
    ],
    [
      'its command, by the engine',
      'port: 80, health: {command: [check]}',
      [{ ...usual, engine: true, within: 2 }],
    ],
    [
      'its liveness command, and its port',
      'port: 80, health: {liveness: {command: [alive]}}',
      [
        { every: 10, within: 5, failures: 3, engine: true, deadline: 30, dead: true },
        { ...usual, within: 2 },
      ],
    ],
  ])('%s', (_name, web, expected) => {
    const spec = specOf(web);
    expect(watchedOf(spec, spec.port !== undefined)).toEqual(expected);
  });

  test('a command is asked often while it starts, and then as often as its liveness says', () => {
    expect(healthcheckOf(specOf('health: {command: [check], deadline: 60}'))).toEqual({
      command: ['check'],
      interval: 1,
      timeout: 2,
      failures: 3,
      startPeriod: 60,
      startInterval: 1,
    });
    const both = healthcheckOf(
      specOf('health: {command: [a], liveness: {command: [a], interval: 20, failures: 5}}'),
    );
    expect(both).toMatchObject({ interval: 20, failures: 5, startInterval: 1 });
    expect(healthcheckOf(specOf('port: 80'))).toBeUndefined();
  });
});
