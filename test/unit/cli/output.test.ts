import { describe, expect, it } from 'vitest';
import { ago, harmless, painter, table } from '../../../cli/output.ts';

describe('tables', () => {
  it('align columns, whatever their colours', () => {
    const paint = painter(true, {});
    const text = table(
      ['NAME', 'STATE', 'AGE'],
      [
        ['a', paint('green', 'ok'), '1s'],
        ['longer', 'failed', undefined],
      ],
      'none',
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken away
    expect(text.replace(/\x1b\[\d+m/g, '').split('\n')).toEqual([
      'NAME    STATE   AGE',
      'a       ok      1s',
      'longer  failed  -',
    ]);
  });

  it('say what it means that they are empty', () => {
    expect(table(['A'], [], 'Nothing yet.')).toBe('Nothing yet.');
  });
});

describe('colours', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
  ])('terminal %s, environment %j: %s', (isTerminal, environment, expected) => {
    expect(painter(isTerminal, environment)('red', 'x') !== 'x').toBe(expected);
  });
});

describe('ages', () => {
  const now = Date.parse('2026-01-10T00:00:00Z');
  it.each([
    ['2026-01-09T23:59:55Z', '5s'],
    ['2026-01-09T23:50:00Z', '10m'],
    ['2026-01-09T12:00:00Z', '12h'],
    ['2026-01-01T00:00:00Z', '9d'],
    ['2026-01-10T00:00:09Z', '0s'],
    [undefined, '-'],
  ])('%s is %s', (time, expected) => expect(ago(time, now)).toBe(expected));
});

describe('texts of others', () => {
  it('cannot command the terminal', () => {
    expect(harmless('a\x1b[2Jb\tc\u009b31m')).toBe('a\ufffd[2Jb\tc\ufffd31m');
  });
});
