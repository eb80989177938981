import type { FunctionCallback, FunctionMetadata, LogSink, ProgrammingModel } from './wire.ts';

export type HookName = 'appStart' | 'appTerminate' | 'preInvocation' | 'postInvocation' | 'log';
export type Hook = (context: Record<string, unknown>) => unknown;

export interface RegisteredFunction {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

class Disposable {
  static from(...disposables: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const disposable of disposables) disposable.dispose();
    });
  }

  #onDispose: (() => unknown) | undefined;

  constructor(onDispose: () => unknown) {
    this.#onDispose = onDispose;
  }

  dispose(): unknown {
    const onDispose = this.#onDispose;
    this.#onDispose = undefined;
    return onDispose?.();
  }
}

/** What the app registered while it loaded. */
export interface Registrations {
  readonly functions: ReadonlyMap<string, RegisteredFunction>;
  readonly hooks: Readonly<Record<HookName, readonly Hook[]>>;
  /** Shared by all hooks of the app. */
  readonly appHookData: Record<string, unknown>;
  programmingModel(): ProgrammingModel | undefined;
  /** No function can be registered from here on. */
  lock(): void;
  readonly log: LogSink;
}

/**
 * The module `@azure/functions-core` and what was registered through it.
 * https://github.com/Azure/azure-functions-nodejs-worker, src/setupCoreModule.ts and types-core
 */
export function createCoreApi(log: LogSink): { api: object; registrations: Registrations } {
  const functions = new Map<string, RegisteredFunction>();
  const hooks: Record<HookName, Hook[]> = {
    appStart: [],
    appTerminate: [],
    preInvocation: [],
    postInvocation: [],
    log: [],
  };
  let model: ProgrammingModel | undefined;
  let locked = false;

  const api = {
    version: '3.13.0',
    hostVersion: '4.1046.0',
    Disposable,
    registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
      if (locked) throw new Error('A function can only be registered while the app starts.');
      const id = metadata.functionId ?? metadata.name;
      if (functions.has(id)) throw new Error(`A function named '${id}' is registered already.`);
      functions.set(id, { metadata, callback });
      return new Disposable(() => functions.delete(id));
    },
    registerHook(name: string, hook: Hook): Disposable {
      const list = isHookName(name) ? hooks[name] : undefined;
      if (list === undefined)
        throw Object.assign(new RangeError(`Unrecognized hook "${name}"`), {
          isAzureFunctionsSystemError: true,
        });
      list.push(hook);
      return new Disposable(() => list.splice(list.indexOf(hook), 1));
    },
    setProgrammingModel(next: ProgrammingModel): void {
      model = next;
    },
    getProgrammingModel: () => model,
    log,
  };
  const registrations: Registrations = {
    functions,
    hooks,
    appHookData: {},
    programmingModel: () => model,
    lock() {
      locked = true;
    },
    log,
  };
  return { api, registrations };
}

const isHookName = (name: string): name is HookName =>
  ['appStart', 'appTerminate', 'preInvocation', 'postInvocation', 'log'].includes(name);
