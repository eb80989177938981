/** Shells for which `berth machine env` speaks. */
export const SHELLS = ['sh', 'bash', 'zsh', 'fish', 'powershell', 'cmd'] as const;
export type Shell = (typeof SHELLS)[number];

/** In order; undefined removes a variable. */
export type Variables = readonly (readonly [name: string, value: string | undefined])[];

/** A script that sets and removes variables, and how to run it: the comment at its end. */
export function shellScript(shell: Shell, variables: Variables, command: string): string {
  const lines = variables.map(([name, value]) =>
    value === undefined ? removing(shell, name) : setting(shell, name, value),
  );
  return `${[...lines, hint(shell, command)].join('\n')}\n`;
}

/** The user's: that of SHELL, or what Windows begins with. */
export function shellOf(
  variables: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): Shell {
  const name = /([^/\\]+?)(\.exe)?$/i.exec(variables['SHELL'] ?? '')?.[1];
  const known = SHELLS.find((shell) => shell === name);
  return known ?? (platform === 'win32' && name === undefined ? 'powershell' : 'sh');
}

function setting(shell: Shell, name: string, value: string): string {
  switch (shell) {
    case 'fish':
      return `set -gx ${name} ${quoted(shell, value)};`;
    case 'powershell':
      return `$Env:${name} = ${quoted(shell, value)}`;
    case 'cmd':
      return `SET "${name}=${quoted(shell, value)}"`;
    default:
      // With the semicolon, also an eval of words that were split goes well.
      return `export ${name}=${quoted(shell, value)};`;
  }
}

function removing(shell: Shell, name: string): string {
  switch (shell) {
    case 'fish':
      return `set -e ${name};`;
    case 'powershell':
      return `Remove-Item Env:${name} -ErrorAction SilentlyContinue`;
    case 'cmd':
      return `SET "${name}="`;
    default:
      return `unset ${name};`;
  }
}

/**
 * As one word that the shell takes as it is. cmd has no way to write a per cent sign or a quote in a SET that is run
 * from FOR: such values are refused by `unspeakable`.
 */
function quoted(shell: Shell, value: string): string {
  switch (shell) {
    case 'fish':
      return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
    case 'powershell':
      // PowerShell takes typographic apostrophes for quotes, too.
      return `'${value.replaceAll(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
    case 'cmd':
      return value;
    default:
      return posixQuoted(value);
  }
}

/** https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02_02 */
export const posixQuoted = (value: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;

/** Whether the shell cannot be told this value. */
export const unspeakable = (shell: Shell, value: string): boolean =>
  /[\r\n\0]/.test(value) || (shell === 'cmd' && /["%!]/.test(value));

function hint(shell: Shell, command: string): string {
  switch (shell) {
    case 'fish':
      return `# Run this to set up your shell: ${command} | source`;
    case 'powershell':
      return `# Run this to set up your shell: & ${command} | Invoke-Expression`;
    case 'cmd':
      return `REM Run this to set up your shell: @FOR /f "tokens=*" %i IN ('${command}') DO @%i`;
    default:
      return `# Run this to set up your shell: eval "$(${command})"`;
  }
}
