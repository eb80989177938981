import { type Command, Option } from 'commander';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { addressOf, engineUrl, mustRun } from '../../machine/machine-address.ts';
import { ensureContext, withMachines } from '../../machine/machine-session.ts';
import {
  posixQuoted,
  SHELLS,
  type Shell,
  shellOf,
  shellScript,
  unspeakable,
} from '../../machine/shell-script.ts';

interface Options {
  readonly shell?: Shell;
  readonly unset?: boolean;
  readonly proxy: boolean;
}

const NAMES = ['DOCKER_TLS_VERIFY', 'DOCKER_HOST', 'DOCKER_CERT_PATH', 'DOCKER_MACHINE_NAME'] as const;

export function addEnv(machine: Command): void {
  machine
    .command('env')
    .description('variables for docker, as a script for your shell: eval "$(berth machine env NAME)"')
    .argument('[machine]')
    .addOption(new Option('--shell <shell>', 'that of SHELL if not said').choices(SHELLS))
    .option('-u, --unset', 'removes the variables')
    .option('--no-proxy', 'adds the machine to NO_PROXY')
    .action((name: string | undefined, options: Options, command: Command) => {
      const shell = options.shell ?? shellOf(process.env, process.platform);
      if (options.unset === true) {
        process.stdout.write(
          shellScript(
            shell,
            NAMES.map((variable) => [variable, undefined]),
            `berth machine env --unset${of(options)}`,
          ),
        );
        return;
      }
      if (name === undefined)
        throw new Failure({
          code: 'machine-not-named',
          message: 'Which machine? None was named.',
          remedy: 'berth machine env NAME, or berth machine env --unset; berth machine ls shows them.',
          exitCode: exitCodes.usage,
        });
      return withMachines(command, async (session) => {
        const { folder, variables } = session;
        const found = mustRun(await session.find(name));
        await ensureContext(session, found);
        const set: (readonly [string, string])[] = [
          [NAMES[0], '1'],
          [NAMES[1], engineUrl(found)],
          [NAMES[2], folder.certificates],
          [NAMES[3], found.name],
        ];
        if (!options.proxy) set.push(withoutProxy(variables, addressOf(found)));
        for (const [variable, value] of set)
          if (unspeakable(shell, value)) throw cannotSay(shell, variable, value);
        process.stdout.write(shellScript(shell, set, `berth machine env ${posixQuoted(name)}${of(options)}`));
      });
    });
}

const of = ({ shell, proxy }: Options): string =>
  `${shell === undefined ? '' : ` --shell ${shell}`}${proxy ? '' : ' --no-proxy'}`;

/** In the letters in which it is set already; upper case where it is not. */
function withoutProxy(
  variables: Readonly<Record<string, string | undefined>>,
  address: string,
): readonly [string, string] {
  const name = (variables['no_proxy'] ?? '') !== '' ? 'no_proxy' : 'NO_PROXY';
  const hosts = (variables[name] ?? '').split(',').filter((host) => host !== '');
  return [name, [...hosts.filter((host) => host !== address), address].join(',')];
}

const cannotSay = (shell: Shell, variable: string, value: string): Failure =>
  new Failure({
    code: 'value-unspeakable',
    message: `${variable} would be ${JSON.stringify(value)}, which ${shell} cannot be told.`,
    remedy:
      'Use the context instead: docker context use berth-NAME. Or set XDG_DATA_HOME to a folder with a plain name.',
    exitCode: exitCodes.failed,
  });
