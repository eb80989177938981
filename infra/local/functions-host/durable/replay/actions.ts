import { createHash } from 'node:crypto';
import type { Action, HttpRequest, LockSet, RetryOptions } from '../orchestrator-state.ts';
import type { ExternalEvents } from './external-events.ts';
import type { Schedule } from './schedule.ts';
import { done, failed, Task, whenAll, whenAny } from './task.ts';

export interface ReplayOptions {
  readonly instanceId: string;
  readonly executionId: string;
  /** Name of the orchestrator, for messages. */
  readonly name: string;
  /** Longest timer that is set in one piece, and the pieces of a longer one; milliseconds. */
  readonly maximumShortTimer: number;
  readonly longTimerInterval: number;
  /** Between the polls of an answer 202, unless it says otherwise; milliseconds. */
  readonly httpSleep: number;
}

/** Carries out an orchestrator's actions as the extension does: Azure/azure-functions-durable-extension, OutOfProcOrchestrationShim.cs */
export class Actions {
  /** Set once the orchestrator asked to go on as new. */
  continued: { readonly input: string | null } | undefined;
  /** Time of the turn that is being replayed, milliseconds. */
  now = 0;
  #locks: { readonly set: LockSet; readonly request: string } | undefined;
  readonly #schedule: Schedule;
  readonly #events: ExternalEvents;
  readonly #options: ReplayOptions;

  constructor(schedule: Schedule, events: ExternalEvents, options: ReplayOptions) {
    this.#schedule = schedule;
    this.#events = events;
    this.#options = options;
  }

  run(action: Action): Task {
    switch (action.actionType) {
      case 0:
        return this.#activity(action.functionName, action.input);
      case 1:
        return this.#withRetries(
          () => this.#activity(action.functionName, action.input),
          action.retryOptions,
        );
      case 2:
        return this.#child(action);
      case 3:
        return this.#withRetries(() => this.#child(action), action.retryOptions);
      case 4:
        this.continued = { input: textOrNull(action.input) };
        return Task.done();
      case 5:
        return this.#longTimer(Date.parse(action.fireAt), action.isCanceled);
      case 6:
        return this.#events.wait(action.externalEventName);
      case 7:
        return this.#events.wait(this.#toEntity(action, false));
      case 8:
        return this.#http(action.httpRequest);
      case 9:
        this.#toEntity(action, true);
        return Task.done();
      case 11:
        return whenAny(action.compoundActions.map((child) => this.run(child)));
      case 12:
        return whenAll(action.compoundActions.map((child) => this.run(child)));
      case 13:
        return this.#lock(action.lockSet, action.lockRequestId);
      case 14:
        this.releaseLocks();
        return Task.done();
    }
  }

  /** Also at the end of an orchestration that holds some. */
  releaseLocks(): void {
    const locks = this.#locks;
    this.#locks = undefined;
    for (const { name, key } of locks?.set ?? [])
      this.#schedule.send({
        kind: 'message',
        target: entityId(name, key),
        name: 'release',
        input: JSON.stringify({ parent: this.#options.instanceId, id: locks?.request }),
      });
  }

  #activity(name: string, input: unknown): Task {
    return this.#schedule.start({ kind: 'activity', name, input: JSON.stringify([input ?? null]) }).task;
  }

  #child(action: {
    functionName: string;
    instanceId?: string | null | undefined;
    input?: unknown;
    version?: string | null | undefined;
  }): Task {
    return this.#schedule.start({
      kind: 'child',
      name: action.functionName,
      version: action.version ?? '',
      instanceId: action.instanceId || `${this.#options.executionId}:${this.#schedule.nextId}`,
      input: textOrNull(action.input),
    }).task;
  }

  #timer(at: number): { id: number; task: Task } {
    return this.#schedule.start({ kind: 'timer', fireAt: new Date(at).toISOString() });
  }

  /** A timer beyond the longest is set piece by piece, each with a number of its own. */
  #longTimer(at: number, cancelled: boolean): Task {
    const whole = new Task();
    const set = (pieceAt: number): void => {
      const { id, task } = this.#timer(pieceAt);
      if (cancelled) {
        this.#schedule.cancel(id);
        whole.settle(failed);
        return;
      }
      task.whenSettled(() => {
        const left = at - this.now;
        if (pieceAt >= at || left <= 0) whole.settle(done);
        else set(left < this.#options.longTimerInterval ? at : this.now + this.#options.longTimerInterval);
      });
    };
    set(at - this.now > this.#options.maximumShortTimer ? this.now + this.#options.longTimerInterval : at);
    return whole;
  }

  /** Azure/durabletask, src/DurableTask.Core/RetryInterceptor.cs: the last failure is followed by a timer of no length. */
  #withRetries(start: () => Task, options: RetryOptions): Task {
    const whole = new Task();
    const startedAt = this.now;
    let failures = 0;
    const attempt = (): void =>
      start().whenSettled((outcome) => {
        if (outcome.ok || outcome.nonRetriable) return whole.settle(outcome);
        failures += 1;
        if (failures === options.maxNumberOfAttempts)
          return this.#timer(this.now).task.whenSettled(() => whole.settle(outcome));
        const delay = retryDelay(options, failures - 1, this.now - startedAt);
        if (delay === 0) return whole.settle(outcome);
        this.#timer(this.now + delay).task.whenSettled(attempt);
      });
    attempt();
    return whole;
  }

  /** @returns the name of the event that answers */
  #toEntity(action: { instanceId: string; operation: string; input?: unknown }, signal: boolean): string {
    const { instanceId, executionId } = this.#options;
    const id = derivedGuid(`${executionId}/${this.#schedule.nextId}`);
    const input =
      action.input === undefined || action.input === null ? {} : { input: textOrNull(action.input) };
    this.#schedule.send({
      kind: 'message',
      target: action.instanceId,
      name: 'op',
      input: JSON.stringify({
        op: action.operation,
        ...(signal ? { signal } : {}),
        ...input,
        id,
        parent: instanceId,
        parentExecution: executionId,
      }),
    });
    return id;
  }

  #lock(lockset: LockSet, id: string): Task {
    const { instanceId, executionId } = this.#options;
    const [first] = lockset;
    if (first === undefined) return Task.done();
    this.#schedule.send({
      kind: 'message',
      target: entityId(first.name, first.key),
      name: 'op',
      input: JSON.stringify({ id, parent: instanceId, parentExecution: executionId, lockset, pos: 0 }),
    });
    const granted = this.#events.wait(id);
    granted.whenSettled(() => {
      this.#locks = { set: lockset, request: id };
    });
    return granted;
  }

  #http(request: HttpRequest): Task {
    const whole = new Task();
    const call = (next: HttpRequest): void =>
      this.#activity('BuiltIn::HttpActivity', next).whenSettled((outcome) => {
        const poll =
          outcome.ok && request.asynchronousPatternEnabled ? laterAnswer(outcome.value) : undefined;
        if (poll === undefined) return whole.settle(outcome);
        this.#timer(this.now + (poll.afterMs ?? this.#options.httpSleep)).task.whenSettled(() =>
          call({ ...request, method: 'GET', uri: poll.location, content: null }),
        );
      });
    call(request);
    return whole;
  }
}

const textOrNull = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));

export const entityId = (name: string, key: string): string => `@${name.toLowerCase()}@${key}`;

const longestRetryDelay = 6 * 86_400_000;

function retryDelay(options: RetryOptions, failures: number, elapsed: number): number {
  const limit = options.retryTimeoutInMilliseconds;
  if (limit !== undefined && limit > 0 && elapsed >= limit) return 0;
  return Math.min(
    options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** failures,
    options.maxRetryIntervalInMilliseconds ?? longestRetryDelay,
  );
}

/** The same text gives the same id, so that a replay finds its answers. */
function derivedGuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Where an answer 202 says to ask again. */
function laterAnswer(result: string | null): { location: string; afterMs: number | undefined } | undefined {
  const answer = JSON.parse(result ?? 'null') as {
    statusCode: number;
    headers: Record<string, string>;
  } | null;
  if (answer?.statusCode !== 202) return undefined;
  const header = (name: string) =>
    Object.entries(answer.headers).find(([key]) => key.toLowerCase() === name)?.[1];
  const location = header('location');
  const after = header('retry-after');
  return location === undefined
    ? undefined
    : { location, afterMs: after === undefined ? undefined : Number(after) * 1000 };
}
