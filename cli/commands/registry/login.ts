import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { findConnection } from '../../connection.ts';
import { withHelper, withoutHelper } from '../../credential-helper/docker-config.ts';
import { changeDockerConfig, dockerConfigFile } from '../../credential-helper/docker-config-file.ts';
import { hostOf } from '../../credential-helper/host.ts';
import { outputOf } from '../../session.ts';

const PROGRAM = 'docker-credential-berth';

const isOnPath = (path: string): boolean =>
  path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, PROGRAM), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** `login` and `logout`: whether docker, podman and skopeo ask `docker-credential-berth` for the registry's credential. */
export function addLogin(registry: Command): void {
  const hostsOf = (hosts: readonly string[]): readonly string[] =>
    hosts.length > 0 ? hosts.map(hostOf) : findConnection(process.env, process.cwd()).registries;

  registry
    .command('login')
    .description(`has docker ask ${PROGRAM} for this registry, in place of docker login`)
    .argument('[hosts...]', 'under which images are named; those of the connection if none is named')
    .option('--force', 'in place of another helper', false)
    .action((named: string[], options: { force: boolean }, command: Command) => {
      const output = outputOf(command);
      const hosts = hostsOf(named);
      const file = dockerConfigFile(process.env);
      const changed = changeDockerConfig(file, (text) => withHelper(text, hosts, options.force));
      output.data({ file, hosts, changed }, () => hosts.join('\n'));
      output.say(`${file} ${changed ? 'has now' : 'has already'} ${PROGRAM} for ${hosts.join(', ')}.`);
      if (!isOnPath(process.env.PATH ?? ''))
        output.say(
          `${PROGRAM} is not on your PATH, where docker looks for it: ln -s ${fileURLToPath(new URL(`./${PROGRAM}.mjs`, import.meta.url))} /usr/local/bin/${PROGRAM}`,
        );
    });
  registry
    .command('logout')
    .description('takes that back')
    .argument('[hosts...]', 'those of the connection if none is named')
    .action((named: string[], _options, command: Command) => {
      const output = outputOf(command);
      const hosts = hostsOf(named);
      const file = dockerConfigFile(process.env);
      const changed = changeDockerConfig(file, (text) => withoutHelper(text, hosts));
      output.data({ file, hosts, changed }, () => hosts.join('\n'));
      output.say(
        `${file} ${changed ? 'has no longer' : 'does not have'} ${PROGRAM} for ${hosts.join(', ')}.`,
      );
    });
}
