/** Kinds of history events, by the numbers that cross the wire: Azure/durabletask, src/DurableTask.Core/History/EventType.cs */
export const EventType = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationInstanceCreated: 7,
  SubOrchestrationInstanceCompleted: 8,
  SubOrchestrationInstanceFailed: 9,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventSent: 14,
  EventRaised: 15,
  ExecutionSuspended: 19,
  ExecutionResumed: 20,
} as const;

export interface FailureDetails {
  readonly ErrorType: string;
  readonly ErrorMessage: string;
  readonly StackTrace: string | null;
  readonly IsNonRetriable: boolean;
  readonly InnerFailure: FailureDetails | null;
}

interface Failure {
  readonly TaskScheduledId: number;
  readonly Reason: string;
  readonly Details: string;
  readonly FailureDetails: FailureDetails | null;
}

/** `Input` and `Result` are JSON text. */
type Body =
  | {
      readonly EventType: 0;
      readonly Name: string;
      readonly Version: string;
      readonly Input: string | null;
      readonly OrchestrationInstance: { readonly InstanceId: string; readonly ExecutionId: string };
      readonly ParentInstance: unknown;
    }
  | { readonly EventType: 1; readonly OrchestrationStatus: number; readonly Result: string | null }
  | { readonly EventType: 3; readonly Input: string | null }
  | { readonly EventType: 4; readonly Name: string; readonly Version: string; readonly Input: string }
  | { readonly EventType: 5 | 8; readonly TaskScheduledId: number; readonly Result: string | null }
  | ({ readonly EventType: 6 | 9 } & Failure)
  | {
      readonly EventType: 7;
      readonly Name: string;
      readonly Version: string;
      readonly InstanceId: string;
      readonly Input: string | null;
    }
  | { readonly EventType: 10; readonly FireAt: string }
  | { readonly EventType: 11; readonly TimerId: number; readonly FireAt: string }
  | { readonly EventType: 12 | 13 }
  | { readonly EventType: 14; readonly InstanceId: string; readonly Name: string; readonly Input: string }
  | { readonly EventType: 15; readonly Name: string; readonly Input: string | null }
  | { readonly EventType: 19 | 20; readonly Reason: string | null };

export type HistoryEvent = Body & {
  /** The sequence number of what was scheduled; -1 for everything that came from outside. */
  readonly EventId: number;
  /** Whether an earlier turn has seen it. */
  readonly IsPlayed: boolean;
  /** ISO 8601. */
  readonly Timestamp: string;
};

/** A new event, now. */
export const event = (body: Body, id = -1, at = new Date()): HistoryEvent =>
  ({ EventId: id, IsPlayed: false, Timestamp: at.toISOString(), ...body }) as HistoryEvent;

export type { Body as EventBody };
