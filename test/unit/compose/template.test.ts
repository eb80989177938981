import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpolate, TemplateFault } from '../../../shared/compose/template.ts';

const known: Readonly<Record<string, string>> = { FOO: 'foo', EMPTY: '', _a1: 'x', WORD: 'FOO' };
const put = (text: string): string => interpolate(text, (name) => known[name]);

describe('variables in a text (Compose Specification, 12-interpolation)', () => {
  it.each([
    ['plain', 'plain'],
    ['$FOO', 'foo'],
    ['${FOO}', 'foo'],
    ['a${FOO}b$_a1.c', 'afoobx.c'],
    ['$$FOO ${FOO}$$', '$FOO foo$'],
    ['${EMPTY}', ''],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY-d}', ''],
    ['${NONE-d}', 'd'],
    ['${NONE:-d}', 'd'],
    ['${NONE:-}', ''],
    ['${FOO:+r}', 'r'],
    ['${EMPTY:+r}', ''],
    ['${EMPTY+r}', 'r'],
    ['${NONE+r}', ''],
    ['${FOO:?e}', 'foo'],
    ['${EMPTY?e}', ''],
    ['${NONE:-${FOO}}', 'foo'],
    ['${NONE:-${ALSO:-${FOO}!}}?', 'foo!?'],
    ['${NONE:-a:-b}', 'a:-b'],
    ['${FOO:+${WORD}-$FOO}', 'FOO-foo'],
    ['${FOO:-${NONE}}', 'foo'],
    ['cost: $5, $(date), $', 'cost: $5, $(date), $'],
    ['${NONE:-$2a$14$1l.IozJ}', '$2a$14$1l.IozJ'],
    ['${NONE:-$$x}', '$x'],
    ['http://${HOST:-localhost}:${PORT:-80}/', 'http://localhost:80/'],
  ])('%s → %s', (text, expected) => expect(put(text)).toBe(expected));

  it.each([
    ['$NONE', 'the variable NONE is not set, and has no default.'],
    ['${NONE}', 'the variable NONE is not set, and has no default.'],
    ['${NONE:?give it}', 'the variable NONE is required and not set: give it.'],
    ['${EMPTY:?$FOO is missing}', 'the variable EMPTY is required and not set: foo is missing.'],
    ['${NONE?}', 'the variable NONE is required and not set.'],
    ['${', '"${" is no variable: expected'],
    ['${FOO', '"${FOO" is no variable'],
    ['${FOO:-x', '"${FOO:-x" is no variable'],
    ['${FOO:x}', '"${FOO:x}" is no variable'],
    ['${1}', '"${1}" is no variable'],
    ['${}', '"${}" is no variable'],
  ])('%s is refused', (text, message) => {
    expect(() => put(text)).toThrow(TemplateFault);
    expect(() => put(text)).toThrow(message);
  });

  it('gives every text back whose dollar signs are doubled', () =>
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(put(text.replaceAll('$', '$$$$'))).toBe(text);
      }),
    ));

  it('puts in any value as it is, however often defaults are nested', () =>
    fc.assert(
      fc.property(fc.string(), fc.nat(6), (value, depth) => {
        let text = '${VALUE}';
        for (let at = 0; at < depth; at += 1) text = `\${NONE_${at}:-${text}}`;
        expect(interpolate(text, (name) => (name === 'VALUE' ? value : undefined))).toBe(value);
      }),
    ));

  it('ends on whatever it is given', () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom('$', '{', '}', ':', '-', '?', '+', 'FOO', 'x', ' ')), (parts) => {
        try {
          put(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateFault);
        }
      }),
    ));
});
