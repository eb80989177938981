import { EventType, type FailureDetails, type HistoryEvent } from '../history.ts';
import type { OrchestratorState } from '../orchestrator-state.ts';
import { Actions, type ReplayOptions } from './actions.ts';
import { ExternalEvents } from './external-events.ts';
import { type Completion, NonDeterministic, type Plan } from './plan.ts';
import { Schedule } from './schedule.ts';

/**
 * Compares everything an orchestrator has ever wanted (the library returns all of it at each turn) with its history, and says
 * what is new, what is still awaited and whether it has ended. Pure.
 */
export function replay(
  history: readonly HistoryEvent[],
  state: OrchestratorState,
  options: ReplayOptions,
): Plan {
  const schedule = new Schedule();
  const events = new ExternalEvents();
  const actions = new Actions(schedule, events, options);
  const carried: HistoryEvent[] = [];
  const held: HistoryEvent[] = [];
  let suspended = false;
  let terminated: { reason: string | null } | undefined;
  let result: Completion | undefined;

  const runActions = (): void => {
    const list = (state.actions[0] ?? []).values();
    const next = (): void => {
      for (const action of list) {
        const task = actions.run(action);
        if (task.pending) {
          task.whenSettled(next);
          return;
        }
      }
      result = resultOf(state, options, actions);
      if (result !== undefined) actions.releaseLocks();
    };
    next();
  };

  const take = (event: HistoryEvent): void => {
    if (
      suspended &&
      event.EventType !== EventType.ExecutionResumed &&
      event.EventType !== EventType.ExecutionTerminated
    ) {
      if (event.EventType !== EventType.ExecutionSuspended) held.push(event);
      return;
    }
    switch (event.EventType) {
      case EventType.OrchestratorStarted:
        actions.now = Date.parse(event.Timestamp);
        return;
      case EventType.ExecutionStarted:
        runActions();
        return;
      case EventType.ExecutionTerminated:
        terminated = { reason: event.Input };
        return;
      case EventType.TaskScheduled:
      case EventType.SubOrchestrationInstanceCreated:
      case EventType.TimerCreated:
      case EventType.EventSent:
        schedule.confirm(event);
        return;
      case EventType.TaskCompleted:
      case EventType.SubOrchestrationInstanceCompleted:
        schedule.settle(event.TaskScheduledId, { ok: true, value: event.Result });
        return;
      case EventType.TaskFailed:
      case EventType.SubOrchestrationInstanceFailed:
        schedule.settle(event.TaskScheduledId, {
          ok: false,
          nonRetriable: event.FailureDetails?.IsNonRetriable === true,
        });
        return;
      case EventType.TimerFired:
        schedule.settle(event.TimerId);
        return;
      case EventType.EventRaised:
        if (actions.continued === undefined) events.raise(event.Name, event);
        else carried.push(event);
        return;
      case EventType.ExecutionSuspended:
        suspended = true;
        return;
      case EventType.ExecutionResumed:
        suspended = false;
        for (const kept of held.splice(0)) take(kept);
    }
  };

  const planned = (completion: Completion | undefined): Plan => ({
    scheduled: schedule.fresh,
    completion,
    open: schedule.open,
    suspended,
    nextId: schedule.nextId,
  });
  try {
    for (const event of history) take(event);
  } catch (error) {
    if (!(error instanceof NonDeterministic)) throw error;
    return { ...planned(failure(error.message, '', null)), scheduled: [] };
  }
  if (terminated !== undefined) return planned({ status: 'Terminated', reason: terminated.reason });
  if (result?.status === 'ContinuedAsNew') result = { ...result, carried: [...events.unread(), ...carried] };
  return planned(schedule.open.size === 0 && !suspended ? result : undefined);
}

const failure = (reason: string, details: string, failureDetails: FailureDetails | null): Completion => ({
  status: 'Failed',
  reason,
  details,
  failureDetails,
});

function resultOf(
  state: OrchestratorState,
  { name }: ReplayOptions,
  actions: Actions,
): Completion | undefined {
  if (state.error !== undefined && state.error !== null)
    return failure(
      `Orchestrator function '${name}' failed: ${state.error}`,
      '',
      (state.failureDetails ?? null) as FailureDetails | null,
    );
  if (!state.isDone) return undefined;
  if (actions.continued !== undefined)
    return { status: 'ContinuedAsNew', input: actions.continued.input, carried: [] };
  const output = state.output === undefined || state.output === null ? null : JSON.stringify(state.output);
  return { status: 'Completed', output };
}
