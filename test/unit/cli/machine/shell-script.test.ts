import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SHELLS, shellOf, shellScript, unspeakable } from '../../../../cli/machine/shell-script.ts';

const hasShell = (shell: string): boolean => spawnSync(shell, ['-c', ':']).status === 0;
/** What a shell would rather do something else with. */
const hostile = [
  "it's",
  'two  spaces',
  '$HOME `id` $(id)',
  'a"b\\c\\',
  '*',
  '~',
  '; exit 3 #',
  '',
  '-n',
  'ü',
  '\u2019',
];

describe.each(SHELLS.filter((shell) => ['sh', 'bash', 'zsh', 'fish'].includes(shell)))(
  'a script for %s',
  (shell) => {
    const run = (script: string, then: string): string =>
      execFileSync(shell, ['-c', `${script}${then}`], {
        encoding: 'utf8',
        env: { ...process.env, A: 'before' },
      });

    it.skipIf(!hasShell(shell))('sets what was meant, whatever it is', () => {
      for (const value of hostile)
        expect(run(shellScript(shell, [['A', value]], 'berth machine env x'), 'printf %s "$A"')).toBe(value);
    });

    it.skipIf(!hasShell(shell))('removes variables', () => {
      const set = shell === 'fish' ? 'set -q A; or echo gone' : '[ -n "$A" ] || echo gone';
      expect(run(shellScript(shell, [['A', undefined]], 'x'), set)).toBe('gone\n');
    });
  },
);

describe('scripts', () => {
  it('go well in an eval of split words, as people write it', () => {
    const script = shellScript(
      'sh',
      [
        ['A', 'one two'],
        ['B', '3'],
      ],
      'berth machine env x',
    );
    const said = execFileSync('bash', ['-c', 'eval $(cat); printf %s "$A/$B"'], {
      input: script,
      encoding: 'utf8',
    });
    expect(said).toBe('one two/3');
  });

  it('say it in the words of shells that are not here', () => {
    const variables = [
      ['A', "it's"],
      ['B', undefined],
    ] as const;
    expect(shellScript('powershell', variables, 'x')).toBe(
      "$Env:A = 'it''s'\nRemove-Item Env:B -ErrorAction SilentlyContinue\n# Run this to set up your shell: & x | Invoke-Expression\n",
    );
    expect(shellScript('cmd', variables, 'x')).toContain('SET "A=it\'s"\nSET "B="\n');
    expect(shellScript('fish', variables, 'x')).toContain("set -gx A 'it\\'s';\nset -e B;\n");
  });

  it('are not made of what a shell cannot be told', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SHELLS), fc.string(), (shell, value) => {
        expect(unspeakable(shell, `${value}\n`)).toBe(true);
        expect(unspeakable('cmd', `${value}%PATH%`)).toBe(true);
      }),
    );
  });

  it.each([
    [{ SHELL: '/usr/bin/fish' }, 'linux', 'fish'],
    [{ SHELL: '/bin/zsh' }, 'darwin', 'zsh'],
    [{ SHELL: '/bin/ksh' }, 'linux', 'sh'],
    [{}, 'linux', 'sh'],
    [{}, 'win32', 'powershell'],
    [{ SHELL: 'C:\\Program Files\\Git\\usr\\bin\\bash.exe' }, 'win32', 'bash'],
  ] as const)('of %j on %s are for %s', (variables, platform, shell) =>
    expect(shellOf(variables, platform)).toBe(shell),
  );
});
