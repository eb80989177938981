import type { Problem } from '../shared/api/problem.ts';
import { exitCodes } from './exit-codes.ts';

/** Ends the command with this exit code, after saying what happened and what to do. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: string;
  readonly remedy: string | undefined;
  readonly exitCode: number;

  constructor(fault: { code: string; message: string; remedy?: string | undefined; exitCode: number }) {
    super(fault.message);
    this.code = fault.code;
    this.remedy = fault.remedy;
    this.exitCode = fault.exitCode;
  }
}

/** The API's problem details as the end of a command. */
export function failureOf(problem: Problem): Failure {
  const { code, detail: message, remedy, status } = problem;
  const exitCode =
    status === 401 || status === 403
      ? exitCodes.unauthorised
      : status === 404
        ? exitCodes.notFound
        : status === 400 || status === 413 || status === 415
          ? exitCodes.usage
          : exitCodes.failed;
  return new Failure({ code, message, remedy, exitCode });
}
