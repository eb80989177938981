import { Buffer } from 'node:buffer';
import { Invalid } from '../../model/invalid.ts';
import type { OperatingSystem } from '../../model/machine-run.ts';
import type { ManagedCommand } from './run-commands.ts';

/** Bytes of a script. */
export const SCRIPT_LIMIT = 256 * 1024;
/** Bytes of one argument of a program on Linux, with something to spare. */
const ARGUMENT_LIMIT = 100_000;

/** What somebody wants run, as it came: a command (program and arguments, or one line for the shell) or a script. */
export interface ScriptOrder {
  readonly command?: readonly string[] | undefined;
  readonly script?: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly protectedParameters: Readonly<Record<string, string>>;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

export type Rendered = Pick<
  ManagedCommand,
  'script' | 'parameters' | 'protectedParameters' | 'user' | 'password'
>;

/**
 * What Run Command is given for it. Pure.
 * @throws Invalid `run-invalid`
 */
export function render(order: ScriptOrder, os: OperatingSystem): Rendered {
  const issues = [...faults(order, os)];
  if (issues.length > 0) throw runInvalid(issues);
  const parameters = pairs(order.parameters);
  const protectedParameters = pairs(order.protectedParameters);
  const as = {
    ...(order.user === undefined ? {} : { user: order.user }),
    ...(order.password === undefined ? {} : { password: order.password }),
  };
  const script = order.script ?? (os === 'linux' ? shellLine : powerShellLine)(order.command ?? []);
  const names = [...parameters, ...protectedParameters].map(({ name }) => name);
  // Azure's handler calls sudo for another user, which passes on none of the script's variables.
  if (os === 'linux' && order.user !== undefined && names.length > 0)
    return { script: asOtherUser(script, order.user, names), parameters, protectedParameters };
  return { script, parameters, protectedParameters, ...as };
}

export const runInvalid = (issues: readonly { readonly path: string; readonly message: string }[]): Invalid =>
  new Invalid({
    code: 'run-invalid',
    message: `Nothing was run: ${issues.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    remedy: 'Mend what `issues` names: berth machine run --help.',
    issues,
  });

const pairs = (from: Readonly<Record<string, string>>) =>
  Object.entries(from).map(([name, value]) => ({ name, value }));

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const LINUX_USER = /^[a-z_][a-z0-9_-]{0,31}$/;

function* faults(order: ScriptOrder, os: OperatingSystem): Generator<{ path: string; message: string }> {
  if ((order.command === undefined) === (order.script === undefined))
    yield { path: 'command', message: 'expected a command or a script, one of both' };
  if (order.command !== undefined && (order.command.length === 0 || order.command[0]?.trim() === ''))
    yield { path: 'command', message: 'expected the name of a program' };
  const bytes = Buffer.byteLength(order.script ?? order.command?.join(' ') ?? '');
  if (bytes > SCRIPT_LIMIT)
    yield { path: 'script', message: `has ${bytes} bytes, expected at most ${SCRIPT_LIMIT}` };
  if (order.script?.trim() === '') yield { path: 'script', message: 'is empty' };
  for (const [kind, given] of Object.entries({
    parameters: order.parameters,
    protectedParameters: order.protectedParameters,
  }))
    for (const [name, value] of Object.entries(given)) {
      const path = `${kind}.${name}`;
      if (!NAME.test(name))
        yield { path, message: 'expected a name of letters, digits and _, not beginning with a digit' };
      if (value.includes('\0')) yield { path, message: 'holds a zero byte' };
      if (Buffer.byteLength(value) > ARGUMENT_LIMIT)
        yield { path, message: `expected at most ${ARGUMENT_LIMIT} bytes` };
      if (kind === 'protectedParameters' && order.parameters[name] !== undefined)
        yield { path, message: 'is a parameter too: expected it once' };
    }
  if (
    os === 'windows' &&
    order.command !== undefined &&
    Object.keys(order.parameters).length + Object.keys(order.protectedParameters).length > 0
  )
    yield {
      path: 'parameters',
      message: 'on Windows only a script has parameters: expected param(…) in a script',
    };
  if (order.user !== undefined && os === 'linux' && !LINUX_USER.test(order.user))
    yield { path: 'user', message: 'expected the name of a user' };
  if (order.user !== undefined && os === 'windows' && order.password === undefined)
    yield { path: 'password', message: 'Windows asks for the password of the user' };
  if (order.password !== undefined && order.user === undefined)
    yield { path: 'password', message: 'is of no use without a user' };
}

/** In single quotes, as a POSIX shell reads them. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** One argument is a line of the shell, several are a program and its arguments as they are. */
const shellLine = (command: readonly string[]): string =>
  `#!/bin/bash\n${command.length === 1 ? command[0] : command.map(quoted).join(' ')}\n`;

/** In single quotes, as PowerShell reads them. */
export const powerShellQuoted = (text: string): string => `'${text.replaceAll(/['‘’‚‛]/g, '$&$&')}'`;

/** The exit code of the last program is that of the script; a cmdlet has none, and fails by an error. */
const powerShellLine = (command: readonly string[]): string =>
  [
    "$ErrorActionPreference = 'Stop'",
    command.length === 1
      ? command[0]
      : `& ${command.map((part, index) => powerShellQuoted(index === 0 ? part : nativeArgument(part))).join(' ')}`,
    'if ($null -ne $LASTEXITCODE) { exit $LASTEXITCODE }',
    '',
  ].join('\n');

/** Windows PowerShell 5.1 gives quotation marks to programs as they are, which read them as the end of an argument. */
const nativeArgument = (text: string): string => text.replaceAll(/(\\*)"/g, '$1$1\\"');

function asOtherUser(script: string, user: string, names: readonly string[]): string {
  const argument = quoted(script.replace(/^#![^\n]*\n/, ''));
  if (Buffer.byteLength(argument) > ARGUMENT_LIMIT)
    throw runInvalid([
      { path: 'script', message: `with a user and parameters, expected at most ${ARGUMENT_LIMIT} bytes` },
    ]);
  return `#!/bin/bash\nexec sudo -n -H --preserve-env=${names.join(',')} -u ${quoted(user)} -- /bin/bash -c ${argument}\n`;
}
