import type { Command } from 'commander';
import { type Client, makeClient } from './client.ts';
import { findConnection } from './connection.ts';
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

/** Runs a verb with a connection, and closes it. @throws Failure */
export async function withSession(command: Command, run: (session: Session) => Promise<void>): Promise<void> {
  const client = makeClient(findConnection(process.env, process.cwd()));
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    await run({
      client,
      output: outputOf(command),
      environment: command.optsWithGlobals<GlobalOptions>().environment,
      interrupted: abort.signal,
    });
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    client.close();
  }
}
