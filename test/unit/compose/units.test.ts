import { describe, expect, it } from 'vitest';
import { shellWords } from '../../../shared/compose/shell-words.ts';
import { bytesOf, secondsOf } from '../../../shared/compose/units.ts';

describe('durations, sizes and commands', () => {
  it.each<[string, number | undefined]>([
    ['10s', 10],
    ['1m30s', 90],
    ['2h32m', 9120],
    ['500ms', 0.5],
    ['1h5m30s20ms', 3930.02],
    ['1.5s', 1.5],
    ['40us', 0.00004],
    ['0', 0],
    ['10', undefined],
    ['5 s', undefined],
    ['', undefined],
    ['s', undefined],
  ])('duration %j', (text, expected) => expect(secondsOf(text)).toBe(expected));

  it.each<[string | number, number | undefined]>([
    ['50M', 52_428_800],
    ['50m', 52_428_800],
    ['1gb', 1_073_741_824],
    ['1.5g', 1_610_612_736],
    ['2k', 2048],
    ['300b', 300],
    [1024, 1024],
    ['64mib', 67_108_864],
    ['x', undefined],
    ['-1', undefined],
  ])('size %j', (text, expected) => expect(bytesOf(text)).toBe(expected));

  it.each<[string, readonly string[] | undefined]>([
    ['bundle exec thin -p 3000', ['bundle', 'exec', 'thin', '-p', '3000']],
    [`sh -c 'echo "a b"' "c'd"`, ['sh', '-c', 'echo "a b"', "c'd"]],
    ['a\\ b "c\\"d" ""', ['a b', 'c"d', '']],
    ['  ', []],
    ['a \\\n b', ['a', 'b']],
    [`"$HOME" \\$x`, ['$HOME', '$x']],
    ["it's", undefined],
  ])('words of %j', (text, expected) => expect(shellWords(text)).toEqual(expected));
});
