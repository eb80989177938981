import { describe, expect, test } from 'vitest';
import type { Activity } from '../../functions/activities/activity.ts';
import { refreshCopyActivity } from '../../functions/activities/refresh-copy.ts';
import { refresh } from '../../functions/orchestrators/refresh-pushed.ts';
import type { Services } from '../../functions/services.ts';
import { RefreshCopy } from '../../shared/events/refresh-copy.ts';
import { Retryable, Terminal } from '../../shared/model/errors.ts';
import { runOrchestration } from '../support/run-orchestration.ts';

const input = RefreshCopy.parse({ repository: 'hub/library/nginx', tag: '1' });
const fault = { code: 'upstream-unreachable', message: 'away', remedy: 'wait' };

/** Upstream answers these, in order; the last for good. */
async function run(answers: readonly ({ outcome: string } | Error | undefined)[]) {
  const asked: unknown[][] = [];
  const { output } = await runOrchestration(refresh, input, {
    instanceId: 'ev-1',
    activities: [refreshCopyActivity] as unknown as Activity<never, unknown>[],
    services: {
      registry: {},
      mirror: {
        async refresh(_deps: unknown, ...of: unknown[]) {
          const answer = answers[Math.min(asked.length, answers.length - 1)];
          asked.push(of);
          if (answer instanceof Error) throw answer;
          return answer;
        },
      },
    } as unknown as Services,
    clock: { now: new Date() },
  });
  return { output, asked };
}

describe('refresh-pushed', () => {
  test('asks upstream what the tag means', async () => {
    expect(await run([{ outcome: 'moved' }])).toEqual({
      output: { state: 'moved' },
      asked: [['hub/library/nginx', '1']],
    });
    expect((await run([undefined])).output).toEqual({ state: 'no-copy' });
  });

  test('again while upstream is away, up to an end', async () => {
    const away = new Retryable(fault);
    const { output, asked } = await run([away, away, { outcome: 'unchanged' }]);
    expect([output, asked.length]).toEqual([{ state: 'unchanged' }, 3]);
    const never = await run([away]);
    expect(never.output).toMatchObject({ state: 'refused', reason: expect.stringContaining('away') });
    expect(never.asked).toHaveLength(14);
  });

  test('once, where it is refused for good', async () => {
    const { output, asked } = await run([new Terminal({ ...fault, code: 'upstream-denied' })]);
    expect([output, asked.length]).toEqual([{ state: 'refused', reason: 'away' }, 1]);
  });
});
