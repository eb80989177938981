import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { deleteApplication, getApplication } from '../../shared/api/routes/applications.ts';
import { listReplicas, listServices } from '../../shared/api/routes/services.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { type Session, withSession } from '../session.ts';
import { wholeSeconds } from '../whole-number.ts';

interface Options {
  readonly yes?: boolean;
  readonly wait: boolean;
  readonly timeout: number;
}

export const addDestroy = (program: Command): Command =>
  program
    .command('destroy')
    .alias('remove')
    .description('removes an application with all its services, jobs and routes; volumes are kept')
    .argument('<application>')
    .option('-y, --yes', 'asks nothing')
    .option('--no-wait', 'returns when it is accepted, not when all is gone')
    .option('--timeout <seconds>', 'how long it waits', wholeSeconds, 300)
    .action((application: string, options: Options, command: Command) =>
      withSession(command, (session) => destroy(session, application, options)),
    );

async function destroy(session: Session, application: string, options: Options): Promise<void> {
  const { client, output, environment } = session;
  const params = { environment, application };
  const spec = await client.call(getApplication, { params });
  const parts = [
    ...Object.keys(spec.services).map((name) => `service ${name}`),
    ...Object.keys(spec.jobs).map((name) => `job ${name}`),
  ];
  const volumes = Object.keys(spec.volumes ?? {});
  output.say(
    `${application} in environment ${environment}: ${parts.join(', ') || 'nothing'} will be removed.`,
  );
  if (volumes.length > 0)
    output.say(`Its volumes are kept, with the machines that hold them: ${volumes.join(', ')}`);
  if (options.yes !== true) await confirm(application);
  const accepted = await client.call(deleteApplication, { params });
  if (options.wait) await gone(session, application, options.timeout);
  output.data(accepted, () =>
    options.wait
      ? `${application}: removed from environment ${environment}`
      : `${application}: being removed from environment ${environment}`,
  );
}

/** @throws Failure `not-confirmed` */
async function confirm(application: string): Promise<void> {
  const refused = (message: string) =>
    new Failure({
      code: 'not-confirmed',
      message,
      remedy: `Nothing was changed. Without a question: berth destroy ${application} --yes`,
      exitCode: exitCodes.usage,
    });
  if (!process.stdin.isTTY) throw refused('There is no terminal here to confirm it on.');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const typed = await terminal.question(`Type the application's name to confirm: `);
    if (typed.trim() !== application) throw refused(`"${typed.trim()}" is not ${application}.`);
  } finally {
    terminal.close();
  }
}

/** Waits until no service of it is left. @throws Failure `removal-slow` */
async function gone(session: Session, application: string, timeout: number): Promise<void> {
  const { client, output, environment, interrupted } = session;
  const deadline = Date.now() + timeout * 1000;
  let said = '';
  for (;;) {
    const of = { params: { environment }, query: { application } };
    const { services } = await client.call(listServices, of);
    if (services.length === 0) return;
    const { replicas } = await client.call(listReplicas, of);
    const line = `left: ${services.length} of its services, ${replicas.length} replicas`;
    if (line !== said) output.say(line);
    said = line;
    if (interrupted.aborted || Date.now() > deadline)
      throw new Failure({
        code: 'removal-slow',
        message: interrupted.aborted
          ? 'No longer waiting; the removal goes on.'
          : `After ${timeout} s ${line}. The removal goes on.`,
        remedy: `Look at it: berth ps ${application} --environment ${environment}`,
        exitCode: exitCodes.failed,
      });
    await sleep(500, undefined, { signal: interrupted }).catch(() => undefined);
  }
}
