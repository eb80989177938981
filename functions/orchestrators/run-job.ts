import type { OrchestrationContext, Task } from 'durable-functions';
import { type Provisioned, provisioningId, provisionMachine } from '../../shared/machines/provisioning.ts';
import { later } from '../../shared/machines/waiting.ts';
import type { Run, RunStatus } from '../../shared/model/job.ts';
import { MachineName } from '../../shared/model/names.ts';
import type { Outcome } from '../../shared/model/signature.ts';
import type { Failure } from '../../shared/workloads/observed.ts';
import { awaitMachine } from '../../shared/workloads/replica-activities.ts';
import {
  endRun,
  failedStatus,
  type RunJob,
  roomPause,
  runJob,
  startRun,
  waitForRun,
  waitTime,
} from '../../shared/workloads/run-job.ts';
import { callActivity, callOrchestration, orchestration } from './call-activity.ts';

/** Waits after which the history is cut. */
const MOST_WAITS = 60;
/** How long a run waits for an engine. */
const PATIENCE_MS = 600_000;
const PAUSE_MS = 5_000;
/** How long it waits for room, which others have or which is on its way. */
const ROOM_PATIENCE_MS = 1_800_000;
/** Machines that were to come for it and failed, after which it fails too. */
const MOST_LOST = 3;

type Ended = { readonly exitCode: 0; readonly lastLines: readonly string[] } | Failure;

/** Runs a job once: as many attempts as it may have, each in a container of its own. */
export function* run(
  context: OrchestrationContext,
  { run: first, deadline: going }: RunJob,
): Generator<Task, { readonly state: 'succeeded' | 'failed' | 'superseded' }, unknown> {
  let deadline = going;
  for (let attempt = first.attempt; ; attempt += 1) {
    const current: Run = { ...first, attempt };
    const started = yield* start(context, current);
    if (started === 'superseded') return { state: 'superseded' };
    let ended: Ended | 'continued';
    if (typeof started === 'object') ended = started;
    else {
      deadline ??= context.df.currentUtcDateTime.getTime() + current.spec.timeout * 1000;
      ended = yield* wait(context, current, MachineName.parse(started), deadline);
      if (ended === 'continued') return { state: 'superseded' };
    }
    deadline = undefined;
    const at = context.df.currentUtcDateTime.toISOString();
    const failure = 'code' in ended ? ended : undefined;
    // What was refused at its start would be refused again.
    const again = failure !== undefined && typeof started === 'string' && attempt <= current.spec.retries;
    const status: RunStatus = again
      ? { state: 'pending' }
      : failure !== undefined
        ? failedStatus(failure, at)
        : { state: 'succeeded', at, lastLines: [...(ended.lastLines ?? [])] };
    const { key, id, spec } = current;
    doneOf(yield* callActivity(context, endRun, { key, id, attempt, pool: spec.pool, status }));
    if (!again) return { state: failure === undefined ? 'succeeded' : 'failed' };
  }
}

/** The machine that it was started on, or why it was not. */
function* start(
  context: OrchestrationContext,
  current: Run,
): Generator<Task, string | Failure | 'superseded', unknown> {
  const began = context.df.currentUtcDateTime.getTime();
  let lost = 0;
  for (let waits = 0; ; ) {
    const started = doneOf(yield* callActivity(context, startRun, { run: current }));
    const waited = context.df.currentUtcDateTime.getTime() - began;
    const over = waited > PATIENCE_MS;
    switch (started.outcome) {
      case 'started':
        return started.machine;
      case 'superseded':
        return 'superseded';
      case 'refused':
        return started.failure;
      case 'no-room':
        if (waited > ROOM_PATIENCE_MS) return { code: 'no-room', reason: started.reason };
        context.df.setCustomStatus({ doing: [started.reason] });
        yield context.df.createTimer(later(context.df.currentUtcDateTime, roomPause(waits)));
        waits += 1;
        break;
      case 'unreachable':
        if (over) return { code: 'engine-unreachable', reason: started.reason };
        yield context.df.createTimer(later(context.df.currentUtcDateTime, PAUSE_MS));
        break;
      case 'machine-coming': {
        context.df.setCustomStatus({ doing: [`waits for machine ${started.machine}`] });
        const { provision } = started;
        const failure: Failure | undefined =
          provision === undefined
            ? yield* othersMachine(context, current, started.machine)
            : failureOf(
                yield* callOrchestration(
                  context,
                  provisionMachine,
                  provision,
                  provisioningId(provision.machine),
                ),
              );
        // Another machine may come: how soon, its pool decides.
        lost += failure === undefined ? 0 : 1;
        if (failure !== undefined && lost >= MOST_LOST) return failure;
      }
    }
  }
}

function* othersMachine(
  context: OrchestrationContext,
  { spec }: Run,
  name: string,
): Generator<Task, Failure | undefined, unknown> {
  for (;;) {
    const machine = MachineName.parse(name);
    const outcome = doneOf(yield* callActivity(context, awaitMachine, { pool: spec.pool, machine }));
    if (outcome.outcome === 'ready') return undefined;
    if (outcome.outcome === 'failed') return outcome.failure;
  }
}

const failureOf = (made: Provisioned): Failure | undefined =>
  made.status === 'ready' ? undefined : { code: made.code, reason: made.reason };

function* wait(
  context: OrchestrationContext,
  current: Run,
  machine: MachineName,
  deadline: number,
): Generator<Task, Ended | 'continued', unknown> {
  const { key, id, attempt, spec } = current;
  for (let waits = 1; ; waits += 1) {
    const left = deadline - context.df.currentUtcDateTime.getTime();
    if (left <= 0)
      return { code: 'timed-out', reason: `attempt ${attempt} did not end within ${spec.timeout} s` };
    const milliseconds = waitTime(left);
    const outcome = doneOf(
      yield* callActivity(context, waitForRun, { key, id, attempt, machine, milliseconds }),
    );
    if (outcome.outcome === 'lost') return { code: 'run-lost', reason: outcome.reason };
    if (outcome.outcome === 'ended') {
      const { exitCode, lastLines } = outcome;
      if (exitCode === 0) return { exitCode, lastLines };
      const reason = `attempt ${attempt} ended with exit code ${exitCode}`;
      return { code: 'container-exited', reason, exitCode, lastLines };
    }
    if (waits >= MOST_WAITS) {
      context.df.continueAsNew({ run: current, deadline } satisfies RunJob);
      return 'continued';
    }
  }
}

/** A refusal of the activity itself is an error of ours: expected ones are outcomes. */
function doneOf<O>(outcome: Outcome<O>): O {
  if (outcome.outcome === 'done') return outcome.value;
  throw new Error(`${outcome.code}: ${outcome.message}`);
}

orchestration(runJob, run);
