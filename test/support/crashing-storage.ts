import type { Blobs } from '../../shared/state/blobs.ts';
import type { Tables } from '../../shared/state/tables.ts';

/** When a process ends: at its n-th call of storage, before or after storage has carried it out. */
export interface Crash {
  readonly call: number;
  readonly done: boolean;
}

/** Storage as one process sees it, which ends at `crash`: nothing that it does from then on happens. */
export function crashingStorage(storage: { blobs: Blobs; tables: Tables }, crash: Crash | undefined) {
  let calls = 0;
  let crashed = false;
  const ended = () => new Error('the process has ended');
  const enter = (): boolean => {
    if (crashed) throw ended();
    calls += 1;
    if (calls !== crash?.call) return false;
    crashed = true;
    if (!crash.done) throw ended();
    return true;
  };
  const around = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, name, receiver) {
        const method: unknown = Reflect.get(of, name, receiver);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => {
          if (name === 'list') {
            enter();
            return method.apply(of, args);
          }
          return (async () => {
            const last = enter();
            const result: unknown = await method.apply(of, args);
            if (last) throw ended();
            return result;
          })();
        };
      },
    });
  return {
    blobs: around(storage.blobs),
    tables: around(storage.tables),
    crashed: () => crashed,
  };
}
