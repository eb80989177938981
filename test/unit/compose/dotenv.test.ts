import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEnvironmentFile, parseRawEnvironmentFile } from '../../../shared/compose/dotenv.ts';

const none = (): undefined => undefined;
const parse = (text: string, inherited: (name: string) => string | undefined = none) =>
  Object.fromEntries(parseEnvironmentFile(text, inherited).values);

describe('files of variables', () => {
  it.each<[string, Record<string, string>]>([
    ['A=1\nB = 2\nC= 3 # three\n#D=4\n\nE=', { A: '1', B: '2', C: '3', E: '' }],
    ['export A=1', { A: '1' }],
    ['A: yaml', { A: 'yaml' }],
    ["A='$B \\n'", { A: '$B \\n' }],
    ['A="x\\ny\\"z\\\\ \\$B"', { A: 'x\ny"z\\ $B' }],
    ['A="two\nlines" # said\nB=2', { A: 'two\nlines', B: '2' }],
    ['A=1\nB=$A${A}\nC=${D:-d}', { A: '1', B: '11', C: 'd' }],
    ['A=a#b\r\nB=a #b\r\n', { A: 'a#b', B: 'a' }],
    ['A=#c\nB= #d # e', { A: '#c', B: '#d' }],
    ['A=x\t#c', { A: 'x\t#c' }],
    ['A="\\a\\f\\v\\b\\0101\\012"', { A: '\u0007\f\v\bA\\12' }],
    ['\u{feff}A=1', { A: '1' }],
    ['A=1\nA=2', { A: '2' }],
    ['ALONE\nB=1', { B: '1' }],
  ])('%j', (text, expected) => expect(parse(text)).toEqual(expected));

  it('takes a name alone, and variables, from outside first', () =>
    expect(parse('A\nB=1\nC=$B', (name) => ({ A: 'a', B: 'b' })[name])).toEqual({ A: 'a', B: '1', C: 'b' }));

  it.each([
    ['A="open', '1:3 A: this quote is not closed'],
    ['A=1\nno value', '2:1 expected NAME=value, found "no value"'],
    ['A=1\nB=$NONE', '2:3 B: the variable NONE is not set'],
    ['A="x" y', '1:6 A: unexpected "y" after the quote'],
  ])('%j is refused with its place', (text, expected) => {
    const { faults } = parseEnvironmentFile(text, none);
    expect(faults.map(({ line, column, message }) => `${line}:${column} ${message}`)[0]).toContain(expected);
  });

  it('reads what format: raw says as it is', () =>
    expect(Object.fromEntries(parseRawEnvironmentFile('A="$B" # c\n# no\nC=').values)).toEqual({
      A: '"$B" # c',
      C: '',
    }));

  it('reads every value in single quotes as it is', () =>
    fc.assert(
      fc.property(fc.string(), (value) => {
        fc.pre(!/['\\]/.test(value));
        expect(parse(`A='${value}'`)).toEqual({ A: value });
      }),
    ));
});

const folder = fileURLToPath(new URL('../../../../shared/reference/compose/dotenv/', import.meta.url));

describe.skipIf(!existsSync(folder))(
  "compose-go's files of variables (../shared/reference/compose/dotenv)",
  () => {
    const read = (name: string, inherited = none as (name: string) => string | undefined) =>
      parseEnvironmentFile(readFileSync(`${folder}${name}`, 'utf8'), inherited);
    const values = (name: string) => Object.fromEntries(read(name).values);
    it.each<[string, Record<string, string>]>([
      ['equals.env', { OPTION_A: 'postgres://localhost:5432/database?sslmode=disable' }],
      ['exported.env', { OPTION_A: '2', OPTION_B: '\\n' }],
      [
        'plain.env',
        {
          ...{ OPTION_A: '1', OPTION_B: '2', OPTION_C: '3', OPTION_D: '4', OPTION_E: '5', 456: 'ABC' },
          ...{ OPTION_F: '', OPTION_G: '', OPTION_H: 'my string' },
        },
      ],
      [
        'special.env',
        { 'VAR.WITH.DOTS': 'dots', VAR_WITH_UNDERSCORES: 'underscores', 'VAR-WITH-DASHES': 'dashes' },
      ],
      ['inherited-not-found.env', {}],
      ['inherited-multi-var.env', { foo: 'bar', bar: 'baz' }],
    ])('%s', (name, expected) => expect(values(name)).toEqual(expected));
    it('quoted.env', () =>
      expect(values('quoted.env')).toMatchObject({
        ...{ OPTION_A: '1', OPTION_C: '', OPTION_D: '\\n', OPTION_H: '\n', OPTION_I: "echo 'asd'" },
        OPTION_J: 'first line\nsecond line\nthird line\nand so on',
        ...{ OPTION_K: "Let's go!", OPTION_Z: 'last value' },
      }));
    it('invalid1.env has its fault on line 7', () =>
      expect(read('invalid1.env').faults).toMatchObject([
        { line: 7, message: 'expected NAME=value, found "INVALID LINE"' },
      ]));
    it('inherited-single-var.env', () =>
      expect(Object.fromEntries(read('inherited-single-var.env', () => 'os').values)).toEqual({
        VAR_TO_BE_LOADED_FROM_OS_ENV: 'os',
      }));
  },
);
