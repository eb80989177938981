import { Terminal } from '../../../shared/model/errors.ts';
import { readEnvironment } from './environment.ts';
import { startHost } from './start.ts';

/**
 * Runs the app of a folder (the first argument, else where it is started) from the environment; prints one line of JSON,
 * `{"ready":true,"addresses":[…]}`, when it serves. SIGTERM and SIGINT end it, with what is under way done.
 */
async function main(): Promise<void> {
  const { addresses, certificate } = readEnvironment(process.env);
  const [first] = addresses;
  process.env.WEBSITE_HOSTNAME ??= `${first?.host}:${first?.port}`;
  // The durable client talks to this process, never through a proxy.
  process.env.NO_PROXY = [process.env.NO_PROXY, '127.0.0.1', 'localhost'].filter(Boolean).join(',');
  const host = await startHost({
    folder: process.argv[2] ?? process.cwd(),
    settings: process.env,
    addresses,
    ...(certificate === undefined ? {} : { certificate }),
    write: (line) => process.stderr.write(line),
  });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    host.close().then(
      () => process.exit(0),
      (error: unknown) => failed(error),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdout.write(`${JSON.stringify({ ready: true, addresses: host.addresses })}\n`);
}

function failed(error: unknown): never {
  const text =
    error instanceof Terminal
      ? `${error.message} ${error.remedy}`
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

process.on('unhandledRejection', (error) => {
  process.stderr.write(`unhandled rejection: ${error instanceof Error ? error.stack : String(error)}\n`);
});

main().catch(failed);
