import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CloudEvent } from '../../../shared/model/cloud-event.ts';
import type { Digest, RepositoryName, Tag } from '../../../shared/model/image.ts';
import { nextCounter, pushEvent } from '../../../shared/registry/push-event.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const push = {
  repository: 'shop/web' as RepositoryName,
  digest,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  at: new Date('2026-11-25T12:00:00Z'),
};

test('a push of a tag', () => {
  expect(CloudEvent.parse(pushEvent({ ...push, tag: 'v1' as Tag, counter: 7 }))).toEqual({
    specversion: '1.0',
    id: 'v1:7',
    source: 'registry/shop/web',
    type: 'dev.berth.registry.push',
    subject: 'v1',
    time: '2026-11-25T12:00:00.000Z',
    datacontenttype: 'application/json',
    data: { repository: 'shop/web', tag: 'v1', digest, mediaType: push.mediaType },
  });
});

test('a push by digest is the same event whenever it comes', () => {
  expect(pushEvent({ ...push, tag: undefined, counter: 0 })).toMatchObject({ id: digest });
});

test('counters grow, also where a clock goes back', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), (times) => {
      let last: number | undefined;
      for (const time of times) {
        const next = nextCounter(last, new Date(time));
        expect(next).toBeGreaterThan(last ?? 0);
        last = next;
      }
    }),
  );
});
