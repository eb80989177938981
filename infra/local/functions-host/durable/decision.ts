import type { HistoryEvent } from './history.ts';
import type { Instance } from './instance.ts';
import { OrchestratorState, stateInFailure } from './orchestrator-state.ts';
import type { ReplayOptions } from './replay/actions.ts';
import type { Plan } from './replay/plan.ts';
import { replay } from './replay/replay.ts';

export interface TurnOptions
  extends Pick<ReplayOptions, 'maximumShortTimer' | 'longTimerInterval' | 'httpSleep'> {
  /** Runs the orchestrator function with the binding's JSON text; @returns its state. */
  readonly run: (name: string, binding: string) => Promise<unknown>;
}

/** Characters of JSON text. */
const longestCustomStatus = 16 * 1024;

export interface Decision {
  readonly plan: Plan;
  /** JSON text. */
  readonly customStatus: string | undefined;
}

/** Lets the orchestrator function see its history, and says what follows. A function that cannot run has failed. */
export async function decide(
  { id, head, history: past }: Omit<Instance, 'etag'>,
  history: readonly HistoryEvent[],
  options: TurnOptions,
): Promise<Decision> {
  const binding = JSON.stringify({
    history,
    input: head.input === null ? null : (JSON.parse(head.input) as unknown),
    instanceId: id,
    isReplaying: past.length > 0,
    parentInstanceId: head.parent?.instanceId ?? null,
    upperSchemaVersion: 1,
    upperSchemaVersionNew: 3,
    longRunningTimerIntervalDuration: timeSpanOf(options.longTimerInterval),
    maximumShortTimerDuration: timeSpanOf(options.maximumShortTimer),
    // The extension's own spelling.
    defaultHttpAsyncRequestSleepTimeMillseconds: options.httpSleep,
  });
  let state: OrchestratorState;
  try {
    state = OrchestratorState.parse(await options.run(head.name, binding));
  } catch (error) {
    const thrown = stateInFailure(error);
    if (thrown === undefined) return { plan: failed(head.name, error), customStatus: undefined };
    state = thrown;
  }
  let plan: Plan;
  try {
    plan = replay(history, state, {
      ...options,
      instanceId: id,
      executionId: head.executionId,
      name: head.name,
    });
  } catch (error) {
    plan = failed(head.name, error);
  }
  const customStatus =
    state.customStatus === undefined || state.customStatus === null
      ? undefined
      : JSON.stringify(state.customStatus);
  if (customStatus !== undefined && customStatus.length > longestCustomStatus)
    return {
      plan: failed(
        head.name,
        new Error(
          `its custom status has ${customStatus.length} characters, at most ${longestCustomStatus} are allowed`,
        ),
      ),
      customStatus: undefined,
    };
  return { plan, customStatus };
}

const failed = (name: string, error: unknown): Plan => ({
  scheduled: [],
  completion: {
    status: 'Failed',
    reason: `Orchestrator function '${name}' failed: ${error instanceof Error ? error.message : String(error)}`,
    details: '',
    failureDetails: null,
  },
  open: new Set(),
  suspended: false,
  nextId: 0,
});

function timeSpanOf(milliseconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const seconds = milliseconds / 1000;
  const clock = `${two((seconds / 3600) % 24)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  return seconds >= 86_400 ? `${Math.floor(seconds / 86_400)}.${clock}` : clock;
}
