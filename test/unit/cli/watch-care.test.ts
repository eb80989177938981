import { expect, test } from 'vitest';
import { Failure } from '../../../cli/failure.ts';
import type { Session } from '../../../cli/session.ts';
import { watchCare } from '../../../cli/watch-care.ts';
import type { CareRun, Finding } from '../../../shared/model/care-run.ts';

const run: CareRun = {
  run: '998204419348186-7971770c',
  kind: 'gc',
  dryRun: true,
  by: 'admin',
  startedAt: '2026-11-25T04:00:00.000Z',
  state: 'going',
  totals: { found: 0, freed: 0, later: 0 },
};
const finding = (name: string, more: Partial<Finding> = {}): Finding => ({
  what: 'blob',
  name,
  bytes: 2_500_000,
  why: 'no manifest has named it for a day',
  goes: 'now',
  ...more,
});

/** A server whose answers come in this order. */
function session(answers: readonly { run: CareRun; findings?: Finding[]; next?: string }[]) {
  const asked: unknown[] = [];
  const said: string[] = [];
  const rest = [...answers];
  const made = {
    client: {
      call: async (_route: unknown, { query }: { query: { after?: string } }) => {
        asked.push(query.after);
        return { findings: [], ...rest.shift() };
      },
    },
    output: {
      piece: (_value: unknown, text: string) => said.push(text),
      say: (text: string) => said.push(text),
    },
    interrupted: new AbortController().signal,
  } as unknown as Session;
  return { made, asked, said };
}

test('what a run finds is shown page by page, then what it comes to', async () => {
  const { made, asked, said } = session([
    { run, findings: [finding('sha256:1')], next: 'a' },
    { run },
    {
      run,
      findings: [finding('x', { what: 'data', goes: 'later', why: 'no blob points to it' })],
      next: 'b',
    },
    { run: { ...run, state: 'done', totals: { found: 2, freed: 0, later: 2_500_000 } } },
  ]);
  await watchCare(made, run);
  expect(asked).toEqual([undefined, 'a', 'a', 'b']);
  expect(said).toEqual([
    'blob sha256:1, 2.5 MB: no manifest has named it for a day\n',
    'data x, 2.5 MB: no blob points to it (with a later run)\n',
    '2 things would go; nothing was removed. 0 B would be free, 2.5 MB with a later run.',
  ]);
});

test('a run that failed fails the command, with the reason', async () => {
  const { made } = session([{ run: { ...run, state: 'failed', reason: 'a manifest cannot be read' } }]);
  const failure = await watchCare(made, run).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Failure);
  expect(failure).toMatchObject({ code: 'run-failed', exitCode: 1 });
  expect((failure as Failure).message).toContain('a manifest cannot be read');
});
