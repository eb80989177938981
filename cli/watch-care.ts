import { setTimeout as sleep } from 'node:timers/promises';
import { getCareRun } from '../shared/api/routes/care.ts';
import type { CareRun, Finding } from '../shared/model/care-run.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { bytesText, harmless } from './output.ts';
import type { Session } from './session.ts';

/** Milliseconds between questions. */
const PAUSE = 1_000;

const kindText = { now: '', later: ' (with a later run)' } as const;

/** One line: what, how large, why. */
const lineOf = ({ what, name, bytes, why, goes }: Finding): string =>
  `${what} ${name}${bytes === 0 ? '' : `, ${bytesText(bytes)}`}: ${harmless(why)}${kindText[goes]}\n`;

/** Shows what a run finds while it finds it, then what it comes to. @throws Failure if the run failed */
export async function watchCare({ client, output, interrupted }: Session, started: CareRun): Promise<void> {
  const { kind, run: name } = started;
  let after: string | undefined;
  for (;;) {
    const { run, findings, next } = await client.call(getCareRun, {
      params: { kind, run: name },
      query: { after },
    });
    for (const finding of findings) output.piece(finding, lineOf(finding));
    after = next ?? after;
    if (next !== undefined) continue;
    if (run.state === 'failed')
      throw new Failure({
        code: 'run-failed',
        message: `The run ended early: ${harmless(run.reason ?? 'no reason is known')}`,
        remedy: `Start another: berth registry ${kind} run`,
        exitCode: exitCodes.failed,
      });
    if (run.state === 'done') return output.say(summaryOf(run));
    await sleep(PAUSE, undefined, { signal: interrupted }).catch(() => {
      throw new Failure({
        code: 'interrupted',
        message: 'The run goes on without being watched.',
        remedy: `See what it comes to: berth registry ${kind} show ${name}`,
        exitCode: exitCodes.failed,
      });
    });
  }
}

function summaryOf({ kind, dryRun, totals: { found, freed, later } }: CareRun): string {
  const things = found === 1 ? '1 thing' : `${found} things`;
  if (kind === 'retention')
    return dryRun
      ? `${things} would go; nothing was removed.`
      : `${things} went; garbage collection frees the bytes once nobody can restore them.`;
  const verb = dryRun ? 'would be' : 'are';
  return `${things}${dryRun ? ' would go; nothing was removed' : ' went'}. ${bytesText(freed)} ${verb} free, ${bytesText(later)} with a later run.`;
}
