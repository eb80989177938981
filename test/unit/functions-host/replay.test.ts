import { describe, expect, it } from 'vitest';
import {
  type EventBody,
  event,
  type HistoryEvent,
} from '../../../infra/local/functions-host/durable/history.ts';
import { OrchestratorState } from '../../../infra/local/functions-host/durable/orchestrator-state.ts';
import { replay } from '../../../infra/local/functions-host/durable/replay/replay.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
const turn = (seconds: number) => event({ EventType: 12 }, -1, at(seconds));
const started: EventBody = {
  EventType: 0,
  Name: 'o',
  Version: '',
  Input: null,
  OrchestrationInstance: { InstanceId: 'i', ExecutionId: 'e' },
  ParentInstance: null,
};
const scheduled = (id: number, Name: string) =>
  event({ EventType: 4, Name, Version: '', Input: '[null]' }, id);
const completed = (id: number) => event({ EventType: 5, TaskScheduledId: id, Result: '1' });
const failed = (id: number) =>
  event({ EventType: 6, TaskScheduledId: id, Reason: 'r', Details: '', FailureDetails: null });
const timerSet = (id: number) => event({ EventType: 10, FireAt: at(0).toISOString() }, id);
const fired = (id: number) => event({ EventType: 11, TimerId: id, FireAt: at(0).toISOString() });

const activity = (functionName: string) => ({ actionType: 0, functionName, input: null });
const plan = (history: HistoryEvent[], actions: unknown[], more: object = {}) =>
  replay(
    [turn(0), event(started), ...history],
    OrchestratorState.parse({ isDone: false, actions: [actions], schemaVersion: 3, ...more }),
    {
      name: 'o',
      instanceId: 'i',
      executionId: 'e',
      maximumShortTimer: 10_000,
      longTimerInterval: 5_000,
      httpSleep: 30_000,
    },
  );
const news = (result: ReturnType<typeof plan>) =>
  result.scheduled.map((one) => `${one.id} ${one.kind}${'name' in one ? ` ${one.name}` : ''}`);

describe('a replay', () => {
  it('schedules an action only after the one before is answered', () => {
    const actions = [activity('a'), activity('b')];
    expect(news(plan([], actions))).toEqual(['0 activity a']);
    expect(news(plan([scheduled(0, 'a')], actions))).toEqual([]);
    expect(news(plan([scheduled(0, 'a'), turn(1), completed(0)], actions))).toEqual(['1 activity b']);
  });

  it('schedules what is waited for together at once', () => {
    const all = { actionType: 12, compoundActions: [activity('a'), activity('b')] };
    expect(news(plan([], [all]))).toEqual(['0 activity a', '1 activity b']);
  });

  it('waits for all after a failure, as .NET does', () => {
    const all = { actionType: 12, compoundActions: [activity('a'), activity('b')] };
    const history = [scheduled(0, 'a'), scheduled(1, 'b'), turn(1), failed(0)];
    expect(news(plan(history, [all, activity('c')]))).toEqual([]);
    expect(news(plan([...history, completed(1)], [all, activity('c')]))).toEqual(['2 activity c']);
  });

  it('tries again after growing pauses, and sets a timer of no length after the last failure', () => {
    const retryOptions = {
      firstRetryIntervalInMilliseconds: 1000,
      maxNumberOfAttempts: 3,
      backoffCoefficient: 2,
    };
    const actions = [{ actionType: 1, functionName: 'a', input: null, retryOptions }, activity('after')];
    const once = [scheduled(0, 'a'), turn(10), failed(0)];
    expect(plan(once, actions).scheduled).toEqual([{ kind: 'timer', id: 1, fireAt: at(11).toISOString() }]);
    const twice = [...once, timerSet(1), turn(11), fired(1), scheduled(2, 'a'), turn(20), failed(2)];
    expect(plan(twice, actions).scheduled).toEqual([{ kind: 'timer', id: 3, fireAt: at(22).toISOString() }]);
    const thrice = [...twice, timerSet(3), turn(22), fired(3), scheduled(4, 'a'), turn(30), failed(4)];
    expect(plan(thrice, actions).scheduled).toEqual([{ kind: 'timer', id: 5, fireAt: at(30).toISOString() }]);
    const over = [...thrice, timerSet(5), turn(31), fired(5)];
    expect(news(plan(over, actions))).toEqual(['6 activity after']);
  });

  it('sets a long timer in pieces', () => {
    const actions = [{ actionType: 5, fireAt: at(12).toISOString(), isCanceled: false }, activity('a')];
    expect(plan([], actions).scheduled).toEqual([{ kind: 'timer', id: 0, fireAt: at(5).toISOString() }]);
    const second = [timerSet(0), turn(5), fired(0)];
    expect(plan(second, actions).scheduled).toEqual([{ kind: 'timer', id: 1, fireAt: at(10).toISOString() }]);
    const third = [...second, timerSet(1), turn(10), fired(1)];
    expect(plan(third, actions).scheduled).toEqual([{ kind: 'timer', id: 2, fireAt: at(12).toISOString() }]);
    expect(news(plan([...third, timerSet(2), turn(12), fired(2)], actions))).toEqual(['3 activity a']);
  });

  it('completes when done and nothing but cancelled timers is open', () => {
    const done = { isDone: true, output: 7 };
    const open = { actionType: 5, fireAt: at(1).toISOString(), isCanceled: false };
    const any = (timer: object) => [
      { actionType: 11, compoundActions: [timer, { actionType: 6, externalEventName: 'go' }] },
    ];
    const go = event({ EventType: 15, Name: 'go', Input: '1' });
    expect(plan([timerSet(0), turn(1), go], any(open), done).completion).toBeUndefined();
    expect(plan([timerSet(0), turn(1), go], any({ ...open, isCanceled: true }), done).completion).toEqual({
      status: 'Completed',
      output: '7',
    });
  });

  it('carries events that nobody waited for into the next execution', () => {
    const actions = [
      { actionType: 6, externalEventName: 'x' },
      { actionType: 4, input: { n: 1 } },
    ];
    const raised = (name: string) => event({ EventType: 15, Name: name, Input: '1' });
    const { completion } = plan([raised('y'), raised('x'), raised('x')], actions, { isDone: true });
    expect(completion).toMatchObject({ status: 'ContinuedAsNew', input: '{"n":1}' });
    expect(
      completion?.status === 'ContinuedAsNew' && completion.carried.map((one) => 'Name' in one && one.Name),
    ).toEqual(['y', 'x']);
  });

  it('holds events while suspended', () => {
    const actions = [{ actionType: 6, externalEventName: 'go' }, activity('a')];
    const go = event({ EventType: 15, Name: 'go', Input: '1' });
    const suspended = [event({ EventType: 19, Reason: null }), go];
    expect(plan(suspended, actions)).toMatchObject({ scheduled: [], suspended: true });
    expect(news(plan([...suspended, event({ EventType: 20, Reason: null })], actions))).toEqual([
      '0 activity a',
    ]);
  });

  it('fails loudly when the orchestrator no longer does what it did', () => {
    const { completion, scheduled: more } = plan([scheduled(0, 'a')], [activity('b')]);
    expect(completion).toMatchObject({ status: 'Failed' });
    expect(completion?.status === 'Failed' && completion.reason).toContain(
      'was activity a and is now activity b',
    );
    expect(more).toEqual([]);
  });
});
