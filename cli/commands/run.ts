import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { cancelRun, runInService, watchRun } from '../../shared/api/routes/service-runs.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { duration } from '../machine/duration.ts';
import { exitCodeOf, showUntilEnd } from '../run-job.ts';
import { serviceNamed } from '../service-name.ts';
import { type Session, withSession } from '../session.ts';

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly timeout?: number;
  readonly detach?: boolean;
}

/** The app ends a run of which it has heard nothing for a minute. Milliseconds. */
const WATCH_EVERY = 15_000;
/** What shells end with after Ctrl-C. */
const INTERRUPTED = 130;

const variable = (text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected NAME=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
};

export const addRun = (program: Command): Command =>
  program
    .command('run')
    .description(
      'runs a command once in a new container of a service’s revision, and ends with its exit code',
    )
    .usage('[options] <service> -- <command...>')
    .argument('<service>', 'service, or application/service')
    .argument('<command...>', 'after --: a program and its arguments')
    .option('--env <name=value>', 'variable for the command, kept with the run; repeatable', variable)
    .option('--timeout <time>', 'ends it after this time: 90s, 10m, 2h; 1h if left out', duration)
    .option('-d, --detach', 'does not wait, and lets it go on: prints its id')
    .action((name: string, command: string[], options: Options, self: Command) =>
      withSession(self, async (session) => {
        const { params } = await serviceNamed(session, name);
        const watched = options.detach !== true;
        const { env: variables, timeout } = options;
        const accepted = await session.client.call(runInService, {
          params,
          json: { command, variables, timeout, watched },
        });
        if (!watched) return session.output.data(accepted, () => accepted.run);
        const { environment, application, service } = params;
        process.exitCode = await watch(session, {
          environment,
          application,
          job: service,
          run: accepted.run,
        });
      }),
    );

/** Shows its output; it goes on while this does. */
async function watch(session: Session, params: Record<string, string>): Promise<number> {
  const { client, output } = session;
  const done = new AbortController();
  const keep = async () => {
    while (!done.signal.aborted) {
      await sleep(WATCH_EVERY, undefined, { signal: done.signal }).catch(() => undefined);
      if (!done.signal.aborted) await client.call(watchRun, { params }).catch(() => undefined);
    }
  };
  const keeping = keep();
  try {
    const run = await showUntilEnd(session, params);
    if (run === undefined) {
      await client.call(cancelRun, { params });
      return INTERRUPTED;
    }
    if (output.json) output.piece({ run }, '');
    const { status } = run;
    if (status.state === 'failed' && status.exitCode === undefined)
      throw new Failure({ code: status.code, message: status.reason, exitCode: exitCodes.failed });
    return exitCodeOf(run);
  } finally {
    done.abort();
    await keeping;
  }
}
