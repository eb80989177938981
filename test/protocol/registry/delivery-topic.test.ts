import { afterEach, beforeEach, expect, test } from 'vitest';
import { CloudEvent } from '../../../shared/model/cloud-event.ts';
import { messageOf } from '../../../shared/registry/subscriptions/message.ts';
import { serviceBusSink } from '../../../shared/registry/subscriptions/sink.service-bus.azure.ts';
import type { OpenSink } from '../../../shared/registry/subscriptions/sinks.ts';
import { startTestServiceBus, type TestServiceBus } from '../../support/service-bus.ts';

let bus: TestServiceBus;
const open: OpenSink[] = [];
beforeEach(async () => {
  bus = await startTestServiceBus();
});
afterEach(async () => {
  for (const sink of open.splice(0)) await sink.close();
  await bus?.stop();
});

const sinkTo = (topic: string): OpenSink => {
  const endpoint = `https://localhost:${bus.port}`;
  const sink = serviceBusSink({ namespace: 'localhost', endpoint, credential: bus.credential() }, topic);
  open.push(sink);
  return sink;
};
const event = (repository: string, id: string) =>
  CloudEvent.parse({
    specversion: '1.0',
    id,
    source: `registry/${repository}`,
    type: 'dev.berth.registry.push',
    time: '2026-11-25T12:00:00Z',
    data: { repository, tag: 'v1' },
  });

test('a repository is a session: its events come in order, each once', async () => {
  const sink = sinkTo('events');
  const long = `team/${'x'.repeat(200)}`;
  for (const [repository, id] of [
    ['shop/web', '1'],
    ['shop/api', '1'],
    ['shop/web', '2'],
    ['shop/web', '2'],
    [long, '1'],
  ] as const) {
    const message = await messageOf('cloudevents', repository, event(repository, id));
    expect(await sink.send(message)).toEqual({ outcome: 'accepted', answer: 'topic events has it' });
  }
  const client = bus.connect();
  try {
    const session = await client.acceptSession('events', 'ordered', 'shop/web');
    const received = await session.receiveMessages(10, { maxWaitTimeInMs: 5_000 });
    const events = received.map(({ body }) => CloudEvent.parse(body));
    expect(events.map(({ id }) => id)).toEqual(['1', '2']);
    expect(received[0]).toMatchObject({
      contentType: 'application/cloudevents+json; charset=utf-8',
      subject: 'dev.berth.registry.push',
      messageId: expect.stringMatching(/^[0-9a-f]{40}$/),
      applicationProperties: { repository: 'shop/web', type: 'dev.berth.registry.push' },
    });
    for (const message of received) await session.completeMessage(message);
    await session.close();
    const all = await client.createReceiver('events', 'all').peekMessages(10);
    const sessions = all.map(({ sessionId }) => sessionId ?? '');
    expect(sessions.map((id) => id.length <= 128)).toEqual(Array(4).fill(true));
    expect(sessions.at(-1)).toMatch(/^team\/x{82}~[0-9a-f]{40}$/);
  } finally {
    await client.close();
  }
});

test('a topic that is not there is a failure with its reason', async () => {
  const message = await messageOf('cloudevents', 'shop/web', event('shop/web', '1'));
  const delivered = await sinkTo('nobody').send(message);
  expect(delivered).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(/^topic nobody: /) });
});
