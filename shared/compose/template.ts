/** Values of variables by name; undefined where there is none. */
export type Variables = (name: string) => string | undefined;

/** What is wrong in a text; the caller knows where it stands. */
export class TemplateFault extends Error {
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/**
 * Puts variables into a text. Compose Specification, 12-interpolation: `$NAME`, `${NAME}`, with `:-` and `-` a default, with
 * `:?` and `?` an error, with `:+` and `+` a replacement, each of which may hold variables itself; `$$` is a dollar sign,
 * and so is one that no name and no brace follows. A variable that is not set and has no default is a fault here, where docker compose warns and takes an empty text.
 * @throws TemplateFault
 */
export function interpolate(text: string, variables: Variables): string {
  let result = '';
  for (let at = 0; at < text.length; ) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) return result + text.slice(at);
    result += text.slice(at, dollar);
    const { value, end } = substitute(text, dollar, variables);
    result += value;
    at = end;
  }
  return result;
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATOR = /:?[-?+]/y;

function substitute(text: string, dollar: number, variables: Variables): { value: string; end: number } {
  const next = text[dollar + 1];
  if (next === '$') return { value: '$', end: dollar + 2 };
  const isBraced = next === '{';
  const name = match(NAME, text, dollar + (isBraced ? 2 : 1));
  if (name === undefined && !isBraced) return { value: '$', end: dollar + 1 };
  if (name === undefined) throw notATemplate(text, dollar);
  if (!isBraced) return { value: required(name, variables), end: dollar + 1 + name.length };
  const afterName = dollar + 2 + name.length;
  if (text[afterName] === '}') return { value: required(name, variables), end: afterName + 1 };
  const operator = match(OPERATOR, text, afterName);
  if (operator === undefined) throw notATemplate(text, dollar);
  const begin = afterName + operator.length;
  const close = closing(text, begin);
  if (close === undefined) throw notATemplate(text, dollar);
  return { value: operate(name, operator, text.slice(begin, close), variables), end: close + 1 };
}

function operate(name: string, operator: string, word: string, variables: Variables): string {
  const value = variables(name);
  const counts = value !== undefined && !(operator.startsWith(':') && value === '');
  switch (operator.at(-1)) {
    case '-':
      return counts ? value : interpolate(word, variables);
    case '+':
      return counts ? interpolate(word, variables) : '';
    default: {
      if (counts) return value;
      const reason = word === '' ? '' : `: ${interpolate(word, variables)}`;
      throw new TemplateFault(`the variable ${name} is required and not set${reason}.`, HOW_TO_SET);
    }
  }
}

function required(name: string, variables: Variables): string {
  const value = variables(name);
  if (value !== undefined) return value;
  throw new TemplateFault(`the variable ${name} is not set, and has no default.`, HOW_TO_SET);
}

const HOW_TO_SET =
  'Set variables in the environment, in .env or in a file of --env-file, or give them a default: ${NAME:-value}.';

/** Where the brace that is open at `begin` closes. */
function closing(text: string, begin: number): number | undefined {
  let depth = 1;
  for (let at = begin; at < text.length; at += 1) {
    if (text[at] === '$' && text[at + 1] === '$') at += 1;
    else if (text[at] === '$' && text[at + 1] === '{') {
      depth += 1;
      at += 1;
    } else if (text[at] === '}') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return undefined;
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

const notATemplate = (text: string, dollar: number): TemplateFault => {
  const found = text.slice(dollar, dollar + 30);
  return new TemplateFault(
    `"${found}" is no variable: expected \${NAME}, \${NAME:-default}, \${NAME:?error} or \${NAME:+value}.`,
    'A dollar sign that is meant as such is written $$.',
  );
};
