import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../../infra/local/functions-host/durable/history.ts';
import { OrchestratorState } from '../../../infra/local/functions-host/durable/orchestrator-state.ts';
import { replay } from '../../../infra/local/functions-host/durable/replay/replay.ts';

const file = new URL('../../../../shared/reference/host-probe/wire.json', import.meta.url);

interface Binding {
  readonly instanceId: string;
  readonly history: readonly HistoryEvent[];
}
interface Turn extends Binding {
  readonly state: OrchestratorState;
  readonly execution: string;
}

/** Turns as they crossed the wire between a host and the genuine library: binding in, state out, in order. */
function turns(): Turn[] {
  const wire = JSON.parse(readFileSync(file, 'utf8')) as {
    orchestrationTrigger: Binding[];
    orchestratorResult: unknown[];
  };
  const states = wire.orchestratorResult.filter((result) => typeof result === 'object');
  return wire.orchestrationTrigger.map((binding, index) => {
    const started = binding.history.find((event) => event.EventType === 0);
    return {
      ...binding,
      state: OrchestratorState.parse(states[index]),
      execution: started?.EventType === 0 ? started.OrchestrationInstance.ExecutionId : '',
    };
  });
}

const planOf = (turn: Turn) =>
  replay(turn.history, turn.state, {
    name: 'recorded',
    instanceId: turn.instanceId,
    executionId: turn.execution,
    maximumShortTimer: 6 * 86_400_000,
    longTimerInterval: 3 * 86_400_000,
    httpSleep: 30_000,
  });

/** What a later turn's history says that was scheduled, beyond what an earlier one knew. */
const scheduledSince = (earlier: Turn, later: Turn) =>
  later.history
    .slice(earlier.history.length)
    .filter(({ EventType: type }) => [4, 7, 10, 14].includes(type))
    .map(({ EventType: type, EventId: id }) => ({ type, id }));

/** The recording host's clock ran ahead of its timers now and then, and it then set the rest anew. */
const firedEarly = ({ history }: Turn) =>
  history.some((event) => event.EventType === 11 && event.Timestamp < event.FireAt);

const typeOf = { activity: 4, child: 7, timer: 10, message: 14 };

describe.skipIf(!existsSync(file))('replays of recorded turns', () => {
  it('schedule exactly what the recorded history goes on with', () => {
    const all = turns();
    let compared = 0;
    for (const [index, turn] of all.entries()) {
      const next = all
        .slice(index + 1)
        .find((other) => other.instanceId === turn.instanceId && other.execution === turn.execution);
      // Each host names the requests to entities in its own way, so answers to recorded ones have other names here.
      if (next === undefined || turn.history.some(({ EventType: type }) => type === 14)) continue;
      if (firedEarly(turn)) continue;
      const planned = planOf(turn).scheduled.map(({ kind, id }) => ({ type: typeOf[kind], id }));
      // What was scheduled stands right behind the turn's own events.
      expect(planned, `${turn.instanceId}, turn ${index}`).toEqual(scheduledSince(turn, next));
      compared += 1;
    }
    expect(compared).toBeGreaterThan(50);
  });

  it('end where the library says done and nothing is awaited', () => {
    for (const turn of turns()) {
      const plan = planOf(turn);
      const ended = turn.state.isDone || (turn.state.error ?? undefined) !== undefined;
      const terminated = turn.history.some(({ EventType: type }) => type === 3);
      if (!terminated && !plan.suspended && plan.completion?.status !== 'Failed')
        expect(plan.completion !== undefined).toBe(ended && plan.open.size === 0);
    }
  });
});
