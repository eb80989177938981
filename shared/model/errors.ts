/** What every error of ours carries: a stable code, what happened, and how to mend it. */
export interface Fault {
  /** kebab-case, stable: documented and matched by programs, never by their text. */
  readonly code: string;
  /** One sentence: what happened, where, what was expected. */
  readonly message: string;
  /** One sentence that can be acted on or copied. */
  readonly remedy: string;
}

/** Trying again cannot help: the caller must change something. HTTP edges answer `status`. */
export class Terminal extends Error implements Fault {
  override readonly name = 'Terminal';
  readonly code: string;
  readonly remedy: string;
  /** HTTP status that an edge answers; 4xx. */
  readonly status: number;

  constructor(fault: Fault & { status?: number; cause?: unknown }) {
    super(fault.message, { cause: fault.cause });
    this.code = fault.code;
    this.remedy = fault.remedy;
    this.status = fault.status ?? 400;
  }
}

/** The same call may succeed later; the thrower may say when (`afterMs`, milliseconds). */
export class Retryable extends Error implements Fault {
  override readonly name = 'Retryable';
  readonly code: string;
  readonly remedy: string;
  readonly afterMs: number | undefined;

  constructor(fault: Fault & { afterMs?: number; cause?: unknown }) {
    super(fault.message, { cause: fault.cause });
    this.code = fault.code;
    this.remedy = fault.remedy;
    this.afterMs = fault.afterMs;
  }
}
