import { ArmError } from './arm-error.ts';
import type { Route } from './arm-request.ts';

export interface Match {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

type Compiled = { readonly route: Route; readonly pattern: RegExp };

const literal = (text: string): string => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&');

function compile(route: Route): Compiled {
  const source = route.template
    .split('/')
    .map((segment) => (segment.startsWith('{') ? `(?<${segment.slice(1, -1)}>[^/]+)` : literal(segment)))
    .join('/');
  return { route, pattern: new RegExp(`^${source}/?$`, 'i') };
}

/** Finds the route of a request: `undefined` if no template fits; several methods of one template are separate routes. */
export function router(routes: readonly Route[]): (method: string, path: string) => Match | undefined {
  const compiled = routes.map(compile);
  return (method, path) => {
    for (const { route, pattern } of compiled) {
      if (route.method !== method) continue;
      const groups = pattern.exec(path)?.groups;
      if (groups === undefined && !pattern.test(path)) continue;
      return {
        route,
        parameters: Object.fromEntries(
          Object.entries(groups ?? {}).map(([name, value]) => [name, decoded(value)]),
        ),
      };
    }
    return undefined;
  };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ArmError(
      400,
      'InvalidRequestUri',
      `The request's path holds a malformed escape: '${segment}'.`,
    );
  }
}
