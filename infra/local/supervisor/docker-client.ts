import { mkdirSync } from 'node:fs';
import { run } from '../machine-runtime/command.ts';

/** The real docker client, with a configuration folder of ours: the user's logins and contexts are left alone. */
export interface DockerClient {
  /** Runs `docker <arguments>`; every line of its output goes to `line`. @throws Terminal with its last lines */
  run(args: readonly string[], line?: (text: string) => void, input?: string): Promise<string>;
}

export function dockerClient(socket: string, configuration: string): DockerClient {
  mkdirSync(configuration, { recursive: true, mode: 0o700 });
  return {
    run: (args, line, input) =>
      run('docker', ['--config', configuration, '--host', `unix://${socket}`, ...args], {
        ...(line === undefined ? {} : { line }),
        ...(input === undefined ? {} : { input }),
      }),
  };
}
