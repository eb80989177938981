import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

export interface RunOptions {
  readonly script?: string;
  readonly settings?: string;
  readonly protectedSettings?: string;
  readonly parameter?: readonly string[];
  readonly protectedParameter?: readonly string[];
  readonly pool?: string;
  readonly label?: readonly string[];
  readonly timeout?: number;
  readonly asUser?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Words before `--` name machines, those after it are the command. */
export function splitWords(
  words: readonly string[],
  argv: readonly string[],
): { readonly machines: readonly string[]; readonly command: readonly string[] | undefined } {
  const at = argv.indexOf('--');
  if (at < 0) return { machines: words, command: undefined };
  const command = argv.slice(at + 1);
  return { machines: words.slice(0, words.length - command.length), command };
}

/**
 * The body of `start-machine-runs`.
 * @throws Failure: wrong use, or a file that cannot be read
 */
export function runRequest(
  machines: readonly string[],
  command: readonly string[] | undefined,
  options: RunOptions,
  environment: Environment,
): Record<string, unknown> {
  const isCustom = options.settings !== undefined || options.protectedSettings !== undefined;
  const given = [command !== undefined, options.script !== undefined, isCustom].filter(Boolean).length;
  if (given !== 1 || command?.length === 0)
    throw usage(
      'Expected one of: -- command, --script, --settings (with or without --protected-settings).',
      'Put -- before the command: berth machine run web-1 -- uptime',
    );
  const labels = Object.fromEntries((options.label ?? []).map((text) => pair(text, '--label')));
  const isSelection = options.pool !== undefined || Object.keys(labels).length > 0;
  if (isSelection === machines.length > 0)
    throw usage('Expected machines, or --pool and --label.', 'berth machine run web-1 web-2 -- uptime');
  return {
    on: isSelection
      ? { ...(options.pool === undefined ? {} : { pool: options.pool }), labels }
      : { machines },
    ...(command === undefined ? {} : { command }),
    ...(options.script === undefined
      ? {}
      : { script: read(options.script, '--script'), name: basename(options.script) }),
    ...(isCustom
      ? {
          customScript: {
            ...(options.settings === undefined ? {} : { settings: json(options.settings, '--settings') }),
            ...(options.protectedSettings === undefined
              ? {}
              : { protectedSettings: json(options.protectedSettings, '--protected-settings') }),
          },
        }
      : {}),
    parameters: Object.fromEntries((options.parameter ?? []).map((text) => pair(text, '--parameter'))),
    protectedParameters: Object.fromEntries(
      (options.protectedParameter ?? []).map((text) => protectedPair(text, environment)),
    ),
    ...(options.asUser === undefined ? {} : { user: options.asUser }),
    ...(options.asUser === undefined || environment.BERTH_RUN_PASSWORD === undefined
      ? {}
      : { password: environment.BERTH_RUN_PASSWORD }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
  };
}

const usage = (message: string, remedy: string): Failure =>
  new Failure({ code: 'usage', message, remedy, exitCode: exitCodes.usage });

function pair(text: string, option: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw usage(`${option} ${text}: expected name=value.`, `For example ${option} colour=green`);
}

/** A name alone takes the value from the environment, so that it stands in no list of processes. */
function protectedPair(text: string, environment: Environment): readonly [string, string] {
  if (text.includes('=')) return pair(text, '--protected-parameter');
  const value = environment[text];
  if (value !== undefined) return [text, value];
  throw usage(
    `--protected-parameter ${text}: the environment has no ${text}.`,
    `Set it: ${text}=… berth machine run …, or write ${text}=value`,
  );
}

function read(file: string, option: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw usage(
      `${option} ${file}: ${error instanceof Error ? error.message : error}`,
      'Check the name of the file.',
    );
  }
}

function json(file: string, option: string): unknown {
  const text = read(file, option);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usage(
      `${option} ${file} is not JSON: ${error instanceof Error ? error.message : error}`,
      'Expected the settings of the CustomScript extension: {"commandToExecute": "…"}',
    );
  }
}
