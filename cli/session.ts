import type { Command } from 'commander';
import { type Client, makeClient } from './client.ts';
import { findConnection } from './connection.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { makeOutput, type Output, painter } from './output.ts';

/** What every verb works with. */
export interface Session {
  readonly client: Client;
  readonly output: Output;
  readonly environment: string;
  /** Aborts at Ctrl-C. */
  readonly interrupted: AbortSignal;
}

export interface GlobalOptions {
  readonly json?: boolean;
  readonly environment: string;
}

/** Output alone, for verbs that need no server. */
export const outputOf = (command: Command): Output =>
  makeOutput(
    command.optsWithGlobals<GlobalOptions>().json === true,
    painter(process.stdout.isTTY === true, process.env),
  );

/** Milliseconds that calls which are under way at Ctrl-C still have: the answer says what became of them. */
const LAST_WORDS = 2_000;

/** Runs a verb with a connection, and closes it. @throws Failure, also `interrupted` */
export async function withSession(command: Command, run: (session: Session) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const broken = new AbortController();
  const client = makeClient(findConnection(process.env, process.cwd()), broken.signal);
  let waiting: NodeJS.Timeout | undefined;
  const interrupt = () => {
    abort.abort();
    waiting ??= setTimeout(() => broken.abort(), LAST_WORDS);
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    await run({
      client,
      output: outputOf(command),
      environment: command.optsWithGlobals<GlobalOptions>().environment,
      interrupted: abort.signal,
    });
  } catch (error) {
    throw broken.signal.aborted && error instanceof Failure && error.code === 'unreachable'
      ? unanswered()
      : error;
  } finally {
    clearTimeout(waiting);
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    client.close();
  }
}

const unanswered = (): Failure =>
  new Failure({
    code: 'interrupted',
    message: 'Interrupted before Berth had answered: what was asked for may be done all the same.',
    remedy: 'Look at what is there: berth ps, berth events',
    exitCode: exitCodes.failed,
  });
