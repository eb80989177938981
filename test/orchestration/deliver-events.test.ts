import { describe, expect, test } from 'vitest';
import type { Activity } from '../../functions/activities/activity.ts';
import { deliverWaitingActivity } from '../../functions/activities/deliver-waiting.ts';
import { deliver } from '../../functions/orchestrators/deliver-events.ts';
import type { Services } from '../../functions/services.ts';
import { RETRY_NOW } from '../../shared/events/deliver-events.ts';
import { CloudEvent } from '../../shared/model/cloud-event.ts';
import { Subscription } from '../../shared/model/subscription.ts';
import { deadEvents } from '../../shared/registry/subscriptions/dead-letters.ts';
import type { DeliveryParts } from '../../shared/registry/subscriptions/deliver-waiting.ts';
import { queueWrite } from '../../shared/registry/subscriptions/queue.ts';
import type { Delivered } from '../../shared/registry/subscriptions/sinks.ts';
import { subscriptionStore } from '../../shared/registry/subscriptions/subscription-store.ts';
import { tableKey } from '../../shared/state/key.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { runOrchestration } from '../support/run-orchestration.ts';

const feed = 'shop/web';

async function world() {
  const clock = { now: new Date('2026-11-25T12:00:00Z') };
  const now = () => clock.now;
  const tables = memoryTables();
  const subscriptions = subscriptionStore(tables, now);
  const subscription = Subscription.parse({
    name: 'ci',
    repositories: ['**'],
    actions: ['push'],
    format: 'cloudevents',
    sink: { kind: 'service-bus', topic: 'events' },
    createdAt: now().toISOString(),
  });
  await subscriptions.put(subscription);
  const sent: { id: string; at: number }[] = [];
  const answers: (Delivered | Error)[] = [];
  let opened = 0;
  const delivery: DeliveryParts = {
    tables,
    subscriptions,
    dead: deadEvents(tables),
    open: async () => {
      opened += 1;
      return {
        async send({ body }) {
          const { id } = CloudEvent.parse(JSON.parse(new TextDecoder().decode(body)));
          sent.push({ id, at: clock.now.getTime() });
          const answer = answers.shift() ?? { outcome: 'accepted', answer: '' };
          if (answer instanceof Error) throw answer;
          return answer;
        },
        close: async () => {
          opened -= 1;
        },
      };
    },
    now,
  };
  const input = { subscription: subscription.name, feed };
  return {
    sent,
    answers,
    dead: delivery.dead,
    subscription,
    stillOpen: () => opened,
    async put(id: string) {
      const event = CloudEvent.parse({
        specversion: '1.0',
        id,
        source: `registry/${feed}`,
        type: 'dev.berth.registry.push',
        time: now().toISOString(),
        data: {},
      });
      await tables.commit('registry', tableKey(feed), [queueWrite(subscription.name, id, [event], now())]);
    },
    run: (over: Partial<Parameters<typeof runOrchestration>[2]> = {}) =>
      runOrchestration(deliver, input, {
        instanceId: 'deliver-ci',
        activities: [deliverWaitingActivity] as unknown as Activity<never, unknown>[],
        services: { delivery } as unknown as Services,
        clock,
        ...over,
      }),
  };
}
const failed: Delivered = { outcome: 'failed', reason: 'answered 503' };

describe('deliver-events', () => {
  test('delivers what stands there, and what comes while it does', async () => {
    const { run, put, sent, stillOpen } = await world();
    for (const id of ['1', '2']) await put(id);
    let late = false;
    const { output, endedAt } = await run({
      meanwhile: async () => {
        if (late) return;
        late = true;
        await put('3');
      },
    });
    expect(output).toEqual({ state: 'delivered' });
    expect(sent.map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(endedAt.getTime() - Date.parse('2026-11-25T12:00:00Z')).toBeLessThan(5_000);
    expect(stillOpen()).toBe(0);
  });

  test('waits longer after each failure, by timers, and gives up in the end', async () => {
    const { run, put, sent, answers, dead, subscription } = await world();
    for (const id of ['1', '2']) await put(id);
    answers.push(...Array<Delivered>(9).fill(failed));
    expect((await run()).output).toEqual({ state: 'delivered' });
    const waits = sent.map(({ at }, index) => (at - (sent[index - 1]?.at ?? at)) / 1000);
    expect(waits).toEqual([0, 5, 30, 120, 600, 1800, 3600, 7200, 7200, 0]);
    expect(sent.at(-1)?.id).toBe('2');
    const letters = [];
    for await (const letter of dead.list(subscription.name)) letters.push(letter);
    expect(letters).toMatchObject([{ event: { id: '1' }, attempts: 9 }]);
  });

  test('whoever asks ends the pause', async () => {
    const { run, put, sent, answers } = await world();
    await put('1');
    answers.push(failed);
    const { endedAt } = await run({ events: () => ({ [RETRY_NOW]: null }) });
    expect(sent).toHaveLength(2);
    expect(endedAt.getTime()).toBe(Date.parse('2026-11-25T12:00:01Z'));
  });

  test('a failure of storage is tried again, then left to the sweep', async () => {
    const { run, put, answers, sent } = await world();
    await put('1');
    answers.push(...Array<Error>(20).fill(new Error('the tables are away')));
    expect((await run()).output).toEqual({
      state: 'refused',
      reason: 'deliver-waiting: the tables are away',
    });
    expect(sent).toHaveLength(9);
    answers.splice(0);
    expect((await run()).output).toEqual({ state: 'delivered' });
    expect(sent).toHaveLength(10);
  });

  test('a long queue is delivered by a history that is cut', async () => {
    const { run, put, sent, answers } = await world();
    for (let number = 0; number < 60; number += 1) {
      await put(String(number).padStart(4, '0'));
      answers.push(failed, { outcome: 'accepted', answer: '' });
    }
    const { output, asked } = await run();
    expect(output).toEqual({ state: 'delivered' });
    expect(asked.length).toBeGreaterThan(60);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(60);
    const order = sent.map(({ id }) => id);
    expect(order).toEqual(order.toSorted());
  });
});
