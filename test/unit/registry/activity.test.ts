import { expect, test } from 'vitest';
import { CloudEvent } from '../../../shared/model/cloud-event.ts';
import type { Digest, RepositoryName, Tag } from '../../../shared/model/image.ts';
import { type Activity, activityEvent } from '../../../shared/registry/activity.ts';
import { keyOf, newestFirstKeyOf, nextStamp } from '../../../shared/registry/stamp.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const repository = 'shop/web' as RepositoryName;
const origin = {
  actor: 'ci',
  address: '10.0.0.1',
  method: 'PUT',
  host: 'berth.example',
  userAgent: 'docker/27',
};
const push: Activity = {
  action: 'push',
  digest,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  size: 1234,
  origin,
  at: new Date('2026-11-25T12:00:00Z'),
};

test('a push of a tag', () => {
  expect(CloudEvent.parse(activityEvent(repository, { ...push, tag: 'v1' as Tag, counter: 7 }))).toEqual({
    specversion: '1.0',
    id: 'v1:7',
    source: 'registry/shop/web',
    type: 'dev.berth.registry.push',
    subject: 'v1',
    time: '2026-11-25T12:00:00.000Z',
    datacontenttype: 'application/json',
    data: { repository: 'shop/web', tag: 'v1', digest, mediaType: push.mediaType, size: 1234, origin },
  });
});

test('a push by digest is the same event whenever it comes', () => {
  expect(activityEvent(repository, push)).toMatchObject({ id: digest, subject: digest });
  const signature = activityEvent(repository, { ...push, subject: digest });
  expect(signature).toMatchObject({ id: `${digest}:${push.at.getTime()}`, data: { subject: digest } });
});

test('each pull, deletion and mount is an event of its own', () => {
  for (const action of ['pull', 'delete', 'mount'] as const) {
    const [one, other] = [0, 1].map(() => activityEvent(repository, { ...push, action }));
    expect(one!.type).toBe(`dev.berth.registry.${action}`);
    expect(one!.id).not.toBe(other!.id);
  }
});

test('keys sort by time, also within a millisecond and where the clock goes back', () => {
  const start = Date.now() + 1000;
  const stamps = [start, start, start - 500, start + 1, start].map(nextStamp);
  const keys = stamps.map(keyOf);
  expect(keys.toSorted()).toEqual(keys);
  const backwards = stamps.map(newestFirstKeyOf);
  expect(backwards.toSorted()).toEqual(backwards.toReversed());
});
