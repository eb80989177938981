import type { Command } from 'commander';
import { getCareRun, listCareRuns, startCareRun } from '../../../shared/api/routes/care.ts';
import type { CareKind } from '../../../shared/model/care-run.ts';
import { ago, bytesText, harmless, table } from '../../output.ts';
import { withSession } from '../../session.ts';
import { watchCare } from '../../watch-care.ts';

interface RunOptions {
  readonly dryRun: boolean;
  readonly wait: boolean;
}

/** `berth registry gc` and `berth registry retention`. */
export function addCare(registry: Command): void {
  addKind(registry, 'gc', 'removes what nothing names any more, while pushes go on; every night by itself');
  addKind(registry, 'retention', 'removes what policies let go; every night by itself');
}

function addKind(registry: Command, kind: CareKind, description: string): void {
  const group = registry.command(kind).description(description);
  const run = group
    .command('run', { isDefault: true })
    .description(description)
    .option('--dry-run', 'only say what would go, and why', false)
    .option('--no-wait', 'return when the run has begun');
  if (kind === 'retention') run.argument('[repository]', 'only this repository');
  run.action(async (...given: unknown[]) => {
    const command = given.at(-1) as Command;
    const { dryRun, wait } = command.opts<RunOptions>();
    const [repository] = command.args;
    await withSession(command, async (session) => {
      const started = await session.client.call(startCareRun, {
        params: { kind },
        json: { dryRun, ...(repository === undefined ? {} : { repository }) },
      });
      if (wait) return watchCare(session, started);
      session.output.data(started, () => started.run);
    });
  });
  group
    .command('runs')
    .description('runs of the last 30 days')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { runs } = await client.call(listCareRuns, { params: { kind } });
        output.data(runs, () =>
          table(
            ['RUN', 'AGE', 'BY', 'STATE', 'THINGS', 'FREED', 'LATER'],
            runs.map(({ run, startedAt, by, state, dryRun, totals, reason }) => [
              run,
              ago(startedAt),
              by,
              `${state}${dryRun ? ', dry run' : ''}${reason === undefined ? '' : `: ${harmless(reason)}`}`,
              totals.found,
              bytesText(totals.freed),
              bytesText(totals.later),
            ]),
            'There was none.',
          ),
        );
      }),
    );
  group
    .command('show')
    .description('what a run removed, or would remove, and why')
    .argument('<run>')
    .action((name: string, _options, command: Command) =>
      withSession(command, async (session) => {
        const { run } = await session.client.call(getCareRun, { params: { kind, run: name } });
        await watchCare(session, run);
      }),
    );
}
