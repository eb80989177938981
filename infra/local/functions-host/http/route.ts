/** A compiled route template. Rank orders templates: the smaller is tried first. */
export interface Route {
  /** The parameters' raw values, decoded; undefined if the path does not fit. */
  match(path: string): Readonly<Record<string, string>> | undefined;
  readonly rank: string;
}

const constraints: Record<string, string> = {
  int: '-?\\d+',
  long: '-?\\d+',
  bool: '(?:true|false)',
  guid: '[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}',
  alpha: '[a-z]+',
};

const parameter = /\{(\*{0,2})(\w+)(?::(\w+))?(\?)?\}/g;

/**
 * Compiles an ASP.NET Core route template: `{name}`, `{name?}`, `{name:int}`, `{*rest}`, literals without case.
 * Literals win over constrained parameters, these over free ones, these over the rest of the path.
 * https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates
 * @throws TypeError if the template is none
 */
export function route(template: string): Route {
  const segments = template.split('/').filter((segment) => segment !== '');
  const names: string[] = [];
  let pattern = '';
  const ranks = segments.map((segment, index) => {
    const compiled = compileSegment(segment, names, template);
    if (compiled.catchAll && index !== segments.length - 1)
      throw new TypeError(`route '${template}': the rest of the path must come last`);
    pattern += compiled.optional ? `(?:/${compiled.pattern})?` : `/${compiled.pattern}`;
    return compiled.rank;
  });
  const expression = new RegExp(`^${pattern}/?$`, 'iu');
  return {
    rank: ranks.join(''),
    match(path) {
      const found = expression.exec(path);
      if (found === null) return undefined;
      const values: Record<string, string> = {};
      for (const [index, name] of names.entries()) {
        const value = found[index + 1];
        if (value !== undefined && value !== '') values[name] = decoded(value);
      }
      return values;
    },
  };
}

function compileSegment(
  segment: string,
  names: string[],
  template: string,
): { pattern: string; rank: number; optional: boolean; catchAll: boolean } {
  let pattern = '';
  let rank = 1;
  let optional = false;
  let catchAll = false;
  let end = 0;
  for (const match of segment.matchAll(parameter)) {
    const [whole, stars = '', name = '', constraint, question] = match;
    pattern += escaped(segment.slice(end, match.index), template);
    end = match.index + whole.length;
    names.push(name);
    catchAll = stars !== '';
    optional ||= question !== undefined || catchAll;
    const kind = constraint === undefined ? '[^/]+' : constraints[constraint];
    if (kind === undefined) throw new TypeError(`route '${template}': unknown constraint '${constraint}'`);
    pattern += catchAll ? '(.*)' : `(${kind})`;
    rank = Math.max(rank, catchAll ? 5 : constraint === undefined ? 4 : 3);
  }
  pattern += escaped(segment.slice(end), template);
  if (rank > 1 && rank < 5 && segment.replace(parameter, '') !== '') rank = 2;
  return { pattern, rank, optional, catchAll };
}

function escaped(literal: string, template: string): string {
  if (/[{}]/.test(literal)) throw new TypeError(`route '${template}': '${literal}' is no parameter`);
  return literal.replace(/[.*+?^$()|[\]\\/]/g, '\\$&');
}

/** A path may hold a stray `%`: then the value is what was sent. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
