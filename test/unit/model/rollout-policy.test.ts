import { describe, expect, it } from 'vitest';
import { Invalid } from '../../../shared/model/invalid.ts';
import { parseApplication } from '../../../shared/model/parse-application.ts';

const faultsOf = (services: string) => {
  try {
    parseApplication(`name: shop\nservices:\n${services}`);
  } catch (error) {
    if (error instanceof Invalid) return error.issues.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
};
const web = (text: string) => faultsOf(`  web: {image: 'shop/web:1', port: 80, ${text}}\n`);

describe('what a service may say of its rollouts and health', () => {
  it.each([
    'rollout: {surge: 25%, unavailable: 1, deadline: 600, bake: 60, breaker: {}}',
    'rollout: {strategy: blue-green, bake: 300, onFailure: stop}',
    'rollout: {strategy: canary, steps: [{percent: 10, pause: 60}, {percent: 50, pause: until-resumed}]}',
    'health: {command: [check], liveness: {path: /alive}}',
    'restart: on-failure',
    'before: {command: [migrate], timeout: 60}',
  ])('%s', (text) => expect(web(text)).toEqual([]));

  it.each([
    ['rollout: {strategy: canary}', 'a canary needs steps'],
    ['rollout: {steps: [{percent: 10, pause: 1}]}', 'only a canary has steps'],
    ['rollout: {strategy: blue-green, surge: 1}', 'blue-green starts all new replicas'],
    ['rollout: {surge: 0}', 'with neither surge nor unavailable no replica may start'],
    ['rollout: {surge: 120%}', 'expected a number of replicas, or a share of them such as 25%'],
    [
      'rollout: {strategy: canary, steps: [{percent: 50, pause: 1}, {percent: 50, pause: 1}]}',
      'expected growing shares',
    ],
    ['rollout: {deadline: 30, bake: 60}', 'expected more than the 60 s that pauses and bake take alone'],
    ['rollout: {breaker: {least: 5, most: 2}}', 'expected least to be at most most'],
    ['rollout: {strategy: blue}', 'services.web.rollout.strategy'],
    ['health: {liveness: {path: /, command: [x]}}', 'expected path or command, not both'],
    ['health: {command: [x], liveness: {command: [y]}}', 'an engine runs one command for each container'],
    ['dependsOn: [db]', 'services.web.dependsOn: expected services of this application (web), not db'],
    ['before: {}', 'services.web.before.command'],
  ])('refuses %s', (text, message) => expect(web(text).join('\n')).toContain(message));

  it('names services that wait for each other', () => {
    const one = (name: string, on: string) => `  ${name}: {image: 'shop/${name}:1', dependsOn: [${on}]}\n`;
    const circle = one('web', 'api') + one('api', 'db') + one('db', 'web');
    expect(faultsOf(circle)).toEqual([
      'services.web.dependsOn: expected services that do not wait for each other (web → api → db → web), found ["api"]',
    ]);
    expect(faultsOf(one('web', 'web'))).toEqual([
      'services.web.dependsOn: expected services that do not wait for each other (web → web), found ["web"]',
    ]);
    expect(faultsOf(one('web', 'db') + one('api', 'db') + one('db', ''))).toEqual([]);
  });
});
