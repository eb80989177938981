import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { ArmError, preemption } from '../requests/arm-error.ts';
import type { Database } from '../resources/database.ts';
import type { Json } from '../resources/resource.ts';
import type { Fault } from './faults.ts';
import type { Failure, Operation, Steps } from './operation.ts';
import { operationRows } from './operation-rows.ts';

export interface Operations {
  /** Records an operation; call it in the transaction that accepts the request. It runs after the commit. */
  begin(kind: string, resource: string, input?: Json, fault?: Fault): string;
  get(id: string): Operation | undefined;
  /** Whether an operation on the resource has not ended. */
  busy(resource: string): boolean;
  /** A more recent request replaces what is in progress on the resource: it ends as soon as it can. */
  preempt(resource: string): void;
  /** What each kind of operation does; once, before `resume`. */
  define(kind: string, steps: Steps): void;
  /** Runs what is in progress, also what an earlier process left. */
  resume(): void;
  /** Resolves when this operation has ended. */
  ended(id: string): Promise<void>;
  /** Resolves when nothing is in progress any more. */
  idle(): Promise<void>;
  /** Runs nothing more; what is under way goes on at the next start. */
  close(): void;
}

export function operations(database: Database, now: () => Date): Operations {
  const rows = operationRows(database);
  const steps = new Map<string, Steps>();
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, AbortController>();
  const closing = new AbortController();
  let ready = false;

  async function run(operation: Operation): Promise<void> {
    const definition = steps.get(operation.kind);
    if (definition === undefined) throw new Error(`no steps are defined for operation ${operation.kind}`);
    try {
      await meetFault(operation);
      const result = await definition.run(operation);
      if (!closing.signal.aborted) rows.end(operation.id, 'Succeeded', now(), undefined, result);
    } catch (error) {
      if (closing.signal.aborted) return;
      const failure = failureOf(error);
      database.transaction(() => {
        definition.failed?.(operation, failure);
        const status = failure.code === 'OperationPreempted' ? 'Canceled' : 'Failed';
        rows.end(operation.id, status, now(), failure, undefined);
      });
    }
  }

  async function meetFault(operation: Operation): Promise<void> {
    const fault = operation.input.fault as Fault | undefined;
    if (fault === undefined) return;
    const key = operation.resource.toLowerCase();
    const preempted = new AbortController();
    waiting.set(key, preempted);
    try {
      await wait(fault.delayMs, undefined, { signal: AbortSignal.any([closing.signal, preempted.signal]) });
    } catch {
      throw preemption();
    } finally {
      waiting.delete(key);
    }
    if (fault.code !== undefined) throw new ArmError(409, fault.code, fault.message);
  }

  function resume(): void {
    ready = true;
    if (closing.signal.aborted) return;
    for (const operation of rows.inProgress()) {
      const key = operation.resource.toLowerCase();
      if (running.has(key)) continue;
      const done = run(operation).finally(() => {
        running.delete(key);
        resume();
      });
      running.set(key, done);
    }
  }

  return {
    begin(kind, resource, input = {}, fault) {
      const id = randomUUID();
      rows.insert(id, kind, resource, fault === undefined ? input : { ...input, fault }, now());
      setImmediate(() => {
        if (ready) resume();
      });
      return id;
    },
    get: rows.get,
    busy: rows.busy,
    preempt: (resource) => waiting.get(resource.toLowerCase())?.abort(),
    define: (kind, definition) => void steps.set(kind, definition),
    resume,
    async ended(id) {
      for (;;) {
        const operation = rows.get(id);
        if (operation?.status !== 'InProgress' || closing.signal.aborted) return;
        await (running.get(operation.resource.toLowerCase()) ?? turn());
      }
    },
    async idle() {
      for (;;) {
        if (running.size > 0) await Promise.all(running.values());
        else if (rows.inProgress().length === 0 || closing.signal.aborted) return;
        else await turn();
      }
    },
    close: () => closing.abort(),
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function failureOf(error: unknown): Failure {
  if (error instanceof ArmError) return { code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'InternalExecutionError', message: `An internal execution error occurred: ${message}` };
}
