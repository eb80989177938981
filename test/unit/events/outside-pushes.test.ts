import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type OutsidePush, PushSender, type Told } from '../../../shared/events/pushes/outside-push.ts';
import { parseDelivery } from '../../../shared/events/pushes/parse-delivery.ts';
import { OutsidePushData, outsidePushEvent } from '../../../shared/events/pushes/push-event.ts';
import { CloudEvent } from '../../../shared/model/cloud-event.ts';

const now = new Date('2026-11-25T12:00:00Z');
const digest = `sha256:${'a'.repeat(64)}`;
const manifest = 'application/vnd.oci.image.manifest.v1+json';

function tell(
  from: PushSender,
  payload: unknown,
  { host, headers = {} }: { host?: string; headers?: Record<string, string> } = {},
): Told {
  const body = new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return parseDelivery(from, host, {
    body,
    headerOf: (name) => headers[name] ?? null,
    id: 'delivery-1',
    now,
  });
}
function pushesIn(told: Told): readonly OutsidePush[] {
  if (told.told !== 'pushes') throw new Error(`no pushes: ${JSON.stringify(told)}`);
  return told.pushes;
}
const eventsIn = (told: Told): CloudEvent[] =>
  pushesIn(told).map((push) => CloudEvent.parse(outsidePushEvent(push, 'hook', now)));

const acr = (change: object = {}) => ({
  id: 'e1',
  timestamp: '2026-11-25T11:00:00Z',
  action: 'push',
  target: { mediaType: manifest, size: 5, digest, repository: 'team/web', tag: 'v1' },
  request: { host: 'acme.azurecr.io', method: 'PUT' },
  ...change,
});

describe('each sender becomes the same event', () => {
  const samples: readonly (readonly [string, PushSender, unknown, Parameters<typeof tell>[2], object])[] = [
    [
      'Docker Hub',
      'docker-hub',
      {
        push_data: { pushed_at: 1_795_600_000, pusher: 'ci', tag: 'v1' },
        repository: { repo_name: 'team/web' },
      },
      {},
      { source: 'registry/~docker.io/team/web', id: 'v1:1795600000', subject: 'v1' },
    ],
    [
      'an official image of Docker Hub',
      'docker-hub',
      { push_data: { pushed_at: 1_795_600_000, tag: '1' }, repository: { repo_name: 'nginx' } },
      {},
      { source: 'registry/~docker.io/library/nginx', id: '1:1795600000' },
    ],
    ['ACR', 'acr', acr(), {}, { source: 'registry/~acme.azurecr.io/team/web', id: 'v1:e1' }],
    [
      'ACR under another name',
      'acr',
      acr(),
      { host: 'images.acme.example' },
      { source: 'registry/~images.acme.example/team/web', id: 'v1:e1' },
    ],
    [
      'Event Grid in its own schema',
      'event-grid',
      [
        {
          eventType: 'Microsoft.ContainerRegistry.ImagePushed',
          eventTime: '2026-11-25T11:00:01Z',
          data: acr(),
        },
      ],
      {},
      { source: 'registry/~acme.azurecr.io/team/web', id: 'v1:e1', time: '2026-11-25T11:00:01Z' },
    ],
    [
      'Event Grid in CloudEvents',
      'event-grid',
      { specversion: '1.0', type: 'Microsoft.ContainerRegistry.ImagePushed', data: acr() },
      {},
      { source: 'registry/~acme.azurecr.io/team/web', id: 'v1:e1' },
    ],
    [
      'Harbor',
      'harbor',
      {
        type: 'PUSH_ARTIFACT',
        occur_at: 1_795_600_000,
        operator: 'ci',
        event_data: {
          resources: [{ digest, tag: 'v1', resource_url: 'harbor.example:8443/team/web:v1' }],
          repository: { repo_full_name: 'team/web' },
        },
      },
      {},
      { source: 'registry/~harbor.example:8443/team/web', id: 'v1:1795600000' },
    ],
    [
      'GitHub packages',
      'github',
      {
        action: 'published',
        registry_package: {
          package_version: {
            version: digest,
            container_metadata: { tag: { name: 'v1', digest } },
            package_url: 'ghcr.io/Team/Web:v1',
          },
        },
        sender: { login: 'Somebody' },
      },
      {},
      { source: 'registry/~ghcr.io/team/web', id: 'v1:delivery-1' },
    ],
    [
      'distribution',
      'distribution',
      {
        events: [
          acr({ target: { mediaType: 'application/octet-stream', digest, repository: 'team/web' } }),
          acr({ action: 'pull' }),
          acr(),
        ],
      },
      {},
      { source: 'registry/~acme.azurecr.io/team/web', id: 'v1:e1' },
    ],
    [
      'zot in structured mode',
      'zot',
      {
        specversion: '1.0',
        id: 'z1',
        type: 'zotregistry.image.updated',
        data: { name: 'team/web', reference: 'v1', digest },
      },
      { host: 'zot.example' },
      { source: 'registry/~zot.example/team/web', id: 'v1:z1' },
    ],
    [
      'zot in binary mode',
      'zot',
      { name: 'team/web', reference: 'v1', digest },
      {
        host: 'zot.example',
        headers: { 'ce-specversion': '1.0', 'ce-id': 'z1', 'ce-type': 'zotregistry.image.updated' },
      },
      { source: 'registry/~zot.example/team/web', id: 'v1:z1' },
    ],
    [
      'Quay',
      'quay',
      { docker_url: 'quay.io/team/web', updated_tags: ['v1'] },
      {},
      { source: 'registry/~quay.io/team/web', id: `v1:${now.getTime()}` },
    ],
  ];
  test.each(samples)('%s', (_name, from, payload, more, expected) => {
    const [event, ...others] = eventsIn(tell(from, payload, more));
    expect(others).toEqual([]);
    expect(event).toMatchObject({ type: 'dev.berth.registry.push', ...expected });
    const data = OutsidePushData.parse(event!.data);
    expect(data).toMatchObject({ registry: expect.any(String), tag: event!.subject });
    // Sent again, it is the same event.
    if (from !== 'quay') expect(eventsIn(tell(from, payload, more))).toEqual([event]);
  });

  test('a push by digest is one', () => {
    const [event] = eventsIn(tell('acr', acr({ target: { digest, repository: 'team/web' } })));
    expect(event).toMatchObject({ id: `${digest}:e1`, subject: digest });
    const [inPlace] = eventsIn(
      tell(
        'zot',
        { id: 'z', type: 'zotregistry.image.updated', data: { name: 'a', reference: digest } },
        { host: 'h' },
      ),
    );
    expect(inPlace).toMatchObject({ id: `${digest}:z` });
    expect((inPlace!.data as { tag?: string }).tag).toBeUndefined();
  });
});

test('Event Grid is answered what it validates with', () => {
  const event = {
    eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
    data: { validationCode: 'code-1', validationUrl: 'https://eventgrid.example/' },
  };
  expect(tell('event-grid', [event])).toEqual({ told: 'validation', code: 'code-1' });
});

describe('what is no push', () => {
  test.each([
    ['acr', acr({ action: 'delete' })],
    ['acr', { id: 'p', action: 'ping' }],
    [
      'event-grid',
      [{ eventType: 'Microsoft.ContainerRegistry.ImageDeleted', data: acr({ action: 'delete' }) }],
    ],
    ['harbor', { type: 'PULL_ARTIFACT', occur_at: 1, event_data: {} }],
    ['github', { zen: 'Keep it logically awesome.' }],
    ['github', { action: 'published', package: { package_version: { version: '1.0.0' } } }],
    ['distribution', { events: [acr({ action: 'pull' })] }],
    ['zot', { id: 'z', type: 'zotregistry.image.deleted', data: {} }],
    ['quay', { docker_url: 'quay.io/a/b', build_id: 'x' }],
  ] as const)('of %s is told as what it is: %j', (from, payload) => {
    expect(tell(from, payload)).toMatchObject({ told: 'other', what: expect.any(String) });
  });
});

describe('what is wrong is refused, with where', () => {
  test.each<[PushSender, unknown, string]>([
    ['acr', acr({ target: { digest: 'sha256:xxxx', repository: 'team/web' } }), 'digest'],
    ['acr', acr({ target: { digest, repository: '../../etc', tag: 'v1' } }), 'repository'],
    ['acr', acr({ target: { digest, repository: 'team/web', tag: 'a b' } }), 'tag'],
    ['harbor', { push_data: {} }, 'type'],
    ['event-grid', [{ id: 'x' }], '0.eventType'],
  ])('of a delivery of %s that is malformed the place is told: %o', (from, payload, path) => {
    expect(() => tell(from, payload)).toThrow(
      expect.objectContaining({
        issues: expect.arrayContaining([
          expect.objectContaining({ path, message: expect.stringMatching(/expected/) }),
        ]),
      }),
    );
  });

  test.each([
    ['docker-hub', { push_data: { tag: 'v1' } }, 'push-malformed'],
    ['docker-hub', 'no JSON', 'push-malformed'],
    ['acr', acr({ target: { digest: 'sha256:xxxx', repository: 'team/web' } }), 'push-malformed'],
    ['acr', acr({ target: { digest, repository: '../../etc', tag: 'v1' } }), 'push-malformed'],
    ['acr', acr({ target: { digest, repository: 'team/web', tag: 'a b' } }), 'push-malformed'],
    ['acr', acr({ request: {} }), 'push-host-unknown'],
    [
      'zot',
      { id: 'z', type: 'zotregistry.image.updated', data: { name: 'a', reference: 'v1' } },
      'push-host-unknown',
    ],
    ['event-grid', [], 'push-malformed'],
    ['harbor', [], 'push-malformed'],
    ['distribution', { events: [] }, 'push-malformed'],
  ] as const)('%s %j', (from, payload, code) => {
    expect(() => tell(from, payload)).toThrow(expect.objectContaining({ code }));
  });
});

test('whatever comes is told, or refused in words: never an error of ours', () => {
  const word = fc.oneof(
    fc.constantFrom(
      ...['push', 'v1', 'team/web', digest, 'acme.azurecr.io', 'published', 'PUSH_ARTIFACT', '1.0'],
    ),
    fc.constantFrom('zotregistry.image.updated', 'Microsoft.ContainerRegistry.ImagePushed', '\n', '\u0000'),
    fc.string(),
  );
  const key = fc.constantFrom(
    ...['id', 'action', 'target', 'request', 'host', 'tag', 'digest', 'repository', 'mediaType', 'size'],
    ...[
      'events',
      'data',
      'type',
      'eventType',
      'specversion',
      'name',
      'reference',
      'resources',
      'resource_url',
    ],
    ...['push_data', 'pushed_at', 'repo_name', 'repo_full_name', 'occur_at', 'event_data', 'docker_url'],
    ...[
      'updated_tags',
      'registry_package',
      'package_version',
      'container_metadata',
      'package_url',
      'version',
    ],
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 6 },
      word,
      fc.double(),
      fc.constant(null),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 6 }),
    ),
  }));
  const headers = fc.dictionary(fc.constantFrom('ce-specversion', 'ce-id', 'ce-type', 'ce-time'), word);
  const host = fc.constantFrom(undefined, 'registry.example');
  fc.assert(
    fc.property(fc.constantFrom(...PushSender.options), tree, headers, host, (from, payload, given, at) => {
      try {
        const told = tell(from, payload, { headers: given, ...(at === undefined ? {} : { host: at }) });
        if (told.told === 'pushes') for (const event of eventsIn(told)) OutsidePushData.parse(event.data);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^push-(malformed|host-unknown)$/) });
      }
    }),
  );
});

test.each([
  [
    'a time beyond all calendars',
    'docker-hub',
    { push_data: { pushed_at: 1e300, tag: 'v1' }, repository: { repo_name: 'a/b' } },
  ],
  ['a host of two lines', 'acr', acr({ request: { host: 'a\nb' } })],
  ['an endless id', 'acr', acr({ id: 'x'.repeat(1000) })],
  ['more than a batch holds', 'event-grid', Array(1001).fill({ eventType: 'x', data: {} })],
] as const)('%s is refused', (_name, from, payload) => {
  expect(() => tell(from, payload)).toThrow(expect.objectContaining({ code: 'push-malformed' }));
});

const reference = new URL('../../../../shared/reference/webhooks/', import.meta.url);
describe.skipIf(!existsSync(reference))('payloads as their senders document them', () => {
  const folders: readonly (readonly [string, PushSender])[] = [
    ['docker-hub', 'docker-hub'],
    ['acr/webhook', 'acr'],
    ['acr/event-grid/event-grid-schema', 'event-grid'],
    ['acr/event-grid/cloud-events-schema', 'event-grid'],
    ['harbor/default', 'harbor'],
    ['harbor/cloudevents', 'harbor'],
    ['github/registry_package', 'github'],
    ['github/package', 'github'],
    ['github/ping', 'github'],
    ['distribution', 'distribution'],
    ['zot', 'zot'],
    ['quay', 'quay'],
  ];
  const files = existsSync(reference)
    ? folders.flatMap(([folder, from]) =>
        readdirSync(new URL(`${folder}/`, reference))
          .filter((file) => file.endsWith('.json') && file !== 'config-events.json')
          .map((file) => [`${folder}/${file}`, from] as const),
      )
    : [];
  /** In these the digests are masked with letters: no digests, so they are refused. */
  const masked = ['acr/webhook/push.json'];

  test.each(files)('%s', (file, from) => {
    const payload: unknown = JSON.parse(readFileSync(new URL(file, reference), 'utf8'));
    const told = () => tell(from, payload, from === 'zot' ? { host: 'zot.example' } : {});
    if (masked.includes(file)) {
      expect(told).toThrow(expect.objectContaining({ code: 'push-malformed' }));
      return;
    }
    const isPush =
      /(^docker-hub\/|\/push\.|-push\.|image_pushed|artifact-pushed|published\.docker|envelope|image-updated)/.test(
        file,
      );
    expect(told().told).toBe(isPush ? 'pushes' : 'other');
    if (!isPush) return;
    for (const event of eventsIn(told())) {
      const { registry, repository, tag, digest: pushed } = OutsidePushData.parse(event.data);
      expect(event.source).toBe(`registry/~${registry}/${repository}`);
      expect(tag ?? pushed).toBe(event.subject);
    }
  });

  test('the validation event and its answer', () => {
    const read = (name: string): unknown =>
      JSON.parse(readFileSync(new URL(`event-grid/${name}`, reference), 'utf8'));
    const told = tell('event-grid', read('subscription-validation-event.json'));
    if (told.told !== 'validation') throw new Error('no validation');
    expect({ validationResponse: told.code }).toEqual(read('subscription-validation-response.json'));
  });
});
