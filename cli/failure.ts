import type { Problem } from '../shared/api/problem.ts';
import { exitCodes } from './exit-codes.ts';

/** Ends the command with this exit code, after saying what happened and what to do. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: string;
  readonly remedy: string | undefined;
  readonly exitCode: number;
  /** Faults of what was sent, where the API named them. */
  readonly issues: readonly { readonly path: string; readonly message: string }[];

  constructor(fault: {
    code: string;
    message: string;
    remedy?: string | undefined;
    exitCode: number;
    issues?: Failure['issues'] | undefined;
  }) {
    super(fault.message);
    this.code = fault.code;
    this.remedy = fault.remedy;
    this.exitCode = fault.exitCode;
    this.issues = fault.issues ?? [];
  }
}

/** The API's problem details as the end of a command. */
export function failureOf(problem: Problem): Failure {
  const { code, detail: message, remedy, status, issues } = problem;
  const exitCode =
    status === 401 || status === 403
      ? exitCodes.unauthorised
      : status === 404
        ? exitCodes.notFound
        : status === 400 || status === 413 || status === 415
          ? exitCodes.usage
          : exitCodes.failed;
  return new Failure({ code, message, remedy, exitCode, issues });
}
