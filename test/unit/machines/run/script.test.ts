import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { powerShellQuoted, render, type ScriptOrder } from '../../../../shared/machines/run/script.ts';
import type { Invalid } from '../../../../shared/model/invalid.ts';
import { long } from '../../../support/sample.ts';

const order = (given: Partial<ScriptOrder>): ScriptOrder => ({
  parameters: {},
  protectedParameters: {},
  ...given,
});
const refusal = (given: Partial<ScriptOrder>, os: 'linux' | 'windows' = 'linux') => {
  try {
    render(order(given), os);
  } catch (error) {
    return (error as Invalid).issues.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
};

describe('what a command becomes', () => {
  it('on Linux: one word is a line, several are a program and its arguments', () => {
    expect(render(order({ command: ['uptime | wc -l'] }), 'linux').script).toBe(
      '#!/bin/bash\nuptime | wc -l\n',
    );
    expect(render(order({ command: ['echo', "it's", '$x'] }), 'linux').script).toBe(
      "#!/bin/bash\n'echo' 'it'\\''s' '$x'\n",
    );
  });

  it('any arguments arrive as they are', () => {
    const argument = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\0', ''));
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1, maxLength: 5 }), (given) => {
        const { script } = render(order({ command: ['printf', '%s\\0', ...given] }), 'linux');
        const output = execFileSync('bash', ['-c', script], { encoding: 'utf8' });
        expect(output.split('\0').slice(0, -1)).toEqual(given.map((text) => Buffer.from(text).toString()));
      }),
      { numRuns: long ? 1000 : 40 },
    );
  });

  it('on Windows: PowerShell, whose exit code is that of the program', () => {
    expect(render(order({ command: ['docker', 'ps', '--filter', `name="it's"`] }), 'windows').script).toBe(
      [
        "$ErrorActionPreference = 'Stop'",
        `& 'docker' 'ps' '--filter' 'name=\\"it''s\\"'`,
        'if ($null -ne $LASTEXITCODE) { exit $LASTEXITCODE }',
        '',
      ].join('\n'),
    );
    expect(render(order({ command: ['Get-Service docker'] }), 'windows').script).toContain(
      '\nGet-Service docker\n',
    );
    // PowerShell takes typographic quotation marks for plain ones.
    expect(powerShellQuoted('a’b')).toBe("'a’’b'");
  });

  it('parameters are given as such, protected ones apart', () => {
    expect(
      render(order({ script: 'echo $a', parameters: { a: '1' }, protectedParameters: { b: '2' } }), 'linux'),
    ).toEqual({
      script: 'echo $a',
      parameters: [{ name: 'a', value: '1' }],
      protectedParameters: [{ name: 'b', value: '2' }],
    });
  });

  it('another user: by Run Command, or by sudo that keeps the parameters', () => {
    expect(render(order({ command: ['id'], user: 'berth' }), 'linux')).toMatchObject({ user: 'berth' });
    const both = render(
      order({ script: '#!/bin/bash\necho "$a"', parameters: { a: '1' }, user: 'berth' }),
      'linux',
    );
    expect(both.user).toBeUndefined();
    expect(both.script).toBe(
      `#!/bin/bash\nexec sudo -n -H --preserve-env=a -u 'berth' -- /bin/bash -c 'echo "$a"'\n`,
    );
    expect(render(order({ script: 'x', user: 'u', password: 'p' }), 'windows')).toMatchObject({
      user: 'u',
      password: 'p',
    });
  });
});

describe('what is refused', () => {
  it.each<[string, Partial<ScriptOrder>, 'linux' | 'windows', string]>([
    ['nothing', {}, 'linux', 'command: expected a command or a script'],
    ['both', { command: ['a'], script: 'b' }, 'linux', 'one of both'],
    ['no program', { command: [' '] }, 'linux', 'command: expected the name of a program'],
    ['an empty script', { script: '\n' }, 'linux', 'script: is empty'],
    [
      'a large script',
      { script: 'x'.repeat(262_145) },
      'linux',
      'script: has 262145 bytes, expected at most 262144',
    ],
    [
      'a bad name',
      { script: 'x', parameters: { '1a': '' } },
      'linux',
      'parameters.1a: expected a name of letters',
    ],
    [
      'a name twice',
      { script: 'x', parameters: { a: '' }, protectedParameters: { a: '' } },
      'linux',
      'expected it once',
    ],
    [
      'parameters of a command',
      { command: ['x'], parameters: { a: '1' } },
      'windows',
      'only a script has parameters',
    ],
    ['a user without password', { script: 'x', user: 'u' }, 'windows', 'password: Windows asks'],
    ['a password alone', { script: 'x', password: 'p' }, 'linux', 'without a user'],
    ['a user that is a line', { script: 'x', user: 'a; id' }, 'linux', 'user: expected the name of a user'],
  ])('%s', (_what, given, os, words) => {
    expect(refusal(given, os).join('; ')).toContain(words);
  });
});
