import { describe, expect, test, vi } from 'vitest';
import { painter } from '../../../cli/output.ts';
import { makeProgress } from '../../../cli/push/progress.ts';
import { turns } from '../../../cli/push/turns.ts';

const paint = painter(false, {});

describe('progress', () => {
  test('draws bars on a terminal, over those before', () => {
    vi.useFakeTimers();
    try {
      let text = '';
      const write = (part: string) => {
        text += part;
      };
      const progress = makeProgress({ isTTY: true, columns: 100, rows: 30, write }, paint);
      const line = progress.line('layer 1 of 2');
      line.phase('sending', 1_000_000);
      line.add(500_000);
      progress.line('layer 2 of 2');
      vi.advanceTimersByTime(100);
      expect(text).toContain('layer 1 of 2  [===========>            ]  500.0 kB of 1.0 MB  sending\n');
      expect(text).toContain('layer 2 of 2  waiting\n');
      line.end('sent, 1.0 MB');
      text = '';
      progress.stop();
      expect(text.startsWith('\x1b[2A')).toBe(true);
      expect(text).toContain('layer 1 of 2  sent, 1.0 MB\n');
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test('writes a line when something ends, where there is no terminal', () => {
    const written: string[] = [];
    const progress = makeProgress({ write: (part) => written.push(part) }, paint);
    const line = progress.line('layer 1 of 1');
    line.phase('sending', 10);
    line.add(10);
    line.end('sent, 10 B');
    progress.stop();
    expect(written).toEqual(['layer 1 of 1  sent, 10 B\n']);
  });
});

test('turns are taken by so many at once, and given on after a failure', async () => {
  const limited = turns(3);
  let now = 0;
  let most = 0;
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      limited.take(async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
        if (index % 5 === 0) throw new Error('no');
        return index;
      }),
    ),
  );
  expect([most, outcomes.filter(({ status }) => status === 'fulfilled').length]).toEqual([3, 16]);
});
