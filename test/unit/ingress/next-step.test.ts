import { describe, expect, it } from 'vitest';
import { ingressApplication } from '../../../shared/ingress/ingress-application.ts';
import { IngressSettings, IngressState } from '../../../shared/ingress/ingress-state.ts';
import {
  deploymentOf,
  IMAGE_LIFE,
  type IngressSeen,
  nextIngressStep,
} from '../../../shared/ingress/next-step.ts';
import { Digest } from '../../../shared/model/image.ts';

const now = Date.parse('2026-11-30T12:00:00Z');
const image = {
  digest: `sha256:${'a'.repeat(64)}`,
  recipe: 'recipe-1',
  version: '2.6.12',
  builtAt: new Date(now).toISOString(),
};
const seen = (state: object, more: Partial<IngressSeen> = {}): IngressSeen => ({
  state: IngressState.parse(state),
  routes: 1,
  recipe: 'recipe-1',
  workshops: ['default-x'],
  healthy: 2,
  wanted: 2,
  nics: ['a-nic', 'b-nic'],
  rolling: false,
  present: ['a-nic', 'b-nic', 'c-nic'],
  now,
  ...more,
});
const deployed = deploymentOf(IngressState.parse({ image }));
const ready = { state: 'ready', address: '1.2.3.4', members: ['a-nic', 'b-nic'] };

it.each([
  [{ replicas: 1 }, { replicas: 1, rollout: { surge: 1 } }],
  [
    { replicas: 3, pool: 'edge' },
    { replicas: 3, pool: 'edge', rollout: { surge: 0, unavailable: 1 } },
  ],
  [{ everyMachine: true }, { mode: 'one-per-machine', rollout: { surge: 0, unavailable: 1 } }],
])('settings %j are an application that is legal', (settings, service) => {
  const { services } = ingressApplication(Digest.parse(image.digest), IngressSettings.parse(settings));
  expect(Object.values(services)).toMatchObject([service]);
});

describe('the way to an ingress', () => {
  it.each([
    ['waits for a machine to make its image on', seen({}, { workshops: [] }), 'wait'],
    ['makes its image', seen({}), 'build-image'],
    ['makes it anew for another recipe', seen({ image, deployed }, { recipe: 'recipe-2' }), 'build-image'],
    [
      'makes it anew for what Debian mended',
      seen({ image, deployed }, { now: now + IMAGE_LIFE + 1 }),
      'build-image',
    ],
    [
      'goes on with an old one where none can be made',
      seen({ image, deployed, balancer: ready }, { now: now + IMAGE_LIFE + 1, workshops: [] }),
      'finish',
    ],
    ['deploys it', seen({ image }), 'deploy'],
    ['deploys it again for other settings', seen({ image, deployed, settings: { replicas: 3 } }), 'deploy'],
    ['makes a balancer', seen({ image, deployed }), 'make-balancer'],
    [
      'goes on with one that is half made',
      seen({ image, deployed, balancer: { state: 'making' } }),
      'make-balancer',
    ],
    [
      'leads it to other machines',
      seen({ image, deployed, balancer: ready }, { nics: ['b-nic', 'c-nic'] }),
      'make-balancer',
    ],
    [
      'leaves it as it is while no replica is healthy',
      seen({ image, deployed, balancer: ready }, { nics: [], healthy: 0 }),
      'wait',
    ],
    ['is there', seen({ image, deployed, balancer: ready }), 'finish'],
    [
      'goes, the balancer first',
      seen({ image, deployed, balancer: ready }, { routes: 0 }),
      'remove-balancer',
    ],
    ['goes', seen({ image, deployed }, { routes: 0 }), 'remove'],
    ['is gone', seen({ image }, { routes: 0 }), 'finish'],
  ])('%s', (_name, given, step) => {
    expect(nextIngressStep(given).step).toBe(step);
  });
});

describe('members of the load balancer', () => {
  const balancer = { ...ready, members: ['a-nic', 'b-nic', 'gone-nic'] };
  const of = (more: Partial<IngressSeen>) => {
    const next = nextIngressStep(seen({ image, deployed, balancer }, more));
    return next.step === 'make-balancer' ? next.members : next.step;
  };

  it.each([
    ['is replaced', { nics: ['a-nic'], healthy: 1, rolling: true }],
    ['is healthy again, while the rollout goes on', { nics: ['a-nic', 'b-nic'], rolling: true }],
    ['does not answer just now', { nics: ['a-nic'], healthy: 1 }],
  ])('stay as long as there is the machine of one that %s', (_, more) => {
    expect(of(more)).toEqual(['a-nic', 'b-nic']);
  });

  it('are added as soon as they are healthy, and those that left go when all is at rest', () => {
    const moved = { nics: ['a-nic', 'c-nic'] };
    expect(of({ ...moved, rolling: true })).toEqual(['a-nic', 'b-nic', 'c-nic']);
    expect(of(moved)).toEqual(['a-nic', 'c-nic']);
  });
});
