/** What a server asks of its caller: RFC 9110, 11.3. Names of parameters and schemes in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+/;
const VALUE = /^(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/;

/** Parses WWW-Authenticate, of which several may be joined by commas. What cannot be read ends the list. */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let rest = (header ?? '').trim();
  while (rest !== '') {
    const word = TOKEN.exec(rest)?.[0];
    if (word === undefined) break;
    const after = rest.slice(word.length);
    const equals = /^\s*=\s*/.exec(after)?.[0];
    const last = challenges.at(-1);
    if (equals !== undefined && last !== undefined) {
      const value = VALUE.exec(after.slice(equals.length));
      if (value === null) break;
      last.parameters[word.toLowerCase()] = value[1]?.replace(/\\(.)/g, '$1') ?? value[2] ?? '';
      rest = after.slice(equals.length + value[0].length);
    } else {
      challenges.push({ scheme: word.toLowerCase(), parameters: {} });
      rest = after;
    }
    rest = rest.replace(/^[\s,]+/, '');
  }
  return challenges;
}
