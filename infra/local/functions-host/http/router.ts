import { Terminal } from '../../../../shared/model/errors.ts';
import { type FunctionMetadata, triggerOf } from '../core/wire.ts';
import { type Route, route } from './route.ts';

export interface HttpFunction {
  readonly metadata: FunctionMetadata;
  /** Of the trigger's binding. */
  readonly trigger: string;
  readonly params: Readonly<Record<string, string>>;
}

/** The function that answers a method and path; a path whose functions take other methods is unknown too, as on Azure. */
export type Router = (method: string, path: string) => HttpFunction | undefined;

/** @throws Terminal if a function asks for keys, which this host does not have, or its route is malformed */
export function router(functions: Iterable<FunctionMetadata>, prefix: string): Router {
  const entries: {
    metadata: FunctionMetadata;
    trigger: string;
    methods: ReadonlySet<string>;
    route: Route;
  }[] = [];
  for (const metadata of functions) {
    const trigger = triggerOf(metadata);
    if (trigger.type !== 'httpTrigger') continue;
    checkAccess(metadata.name, trigger.authLevel);
    const methods = Array.isArray(trigger.methods) ? trigger.methods.map(String) : ['GET', 'POST'];
    const own = typeof trigger.route === 'string' ? trigger.route : metadata.name;
    entries.push({
      metadata,
      trigger: trigger.name,
      methods: new Set(methods.map((method) => method.toUpperCase())),
      route: compile(metadata.name, `${prefix}/${own}`),
    });
  }
  entries.sort((a, b) => (a.route.rank < b.route.rank ? -1 : a.route.rank > b.route.rank ? 1 : 0));
  return (method, path) => {
    for (const { metadata, trigger, methods, route } of entries) {
      if (!methods.has(method)) continue;
      const params = route.match(path);
      if (params !== undefined) return { metadata, trigger, params };
    }
    return undefined;
  };
}

function checkAccess(name: string, level: unknown): void {
  if (level === undefined || level === 'anonymous') return;
  throw new Terminal({
    code: 'auth-level-unsupported',
    message: `Function '${name}' has authLevel '${String(level)}'; this host keeps no function keys.`,
    remedy: "Set authLevel: 'anonymous' and check the caller in the function.",
  });
}

function compile(name: string, template: string): Route {
  try {
    return route(template);
  } catch (cause) {
    throw new Terminal({
      code: 'route-invalid',
      message: `Function '${name}': ${cause instanceof Error ? cause.message : String(cause)}.`,
      remedy: 'Mend the route: https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates',
      cause,
    });
  }
}
