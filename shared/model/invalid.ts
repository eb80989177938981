import { Terminal } from './errors.ts';

/** One fault in what somebody wrote. */
export interface Issue {
  /** Where in the document: keys joined by dots, `services.web.port`; empty for the whole. */
  readonly path: string;
  /** What was expected, and what was there. */
  readonly message: string;
  /** Which of several documents. */
  readonly file?: string;
  /** Both begin at 1; only for documents that are texts. */
  readonly line?: number;
  readonly column?: number;
}

/** A document or request with one or more faults, each with its place. */
export class Invalid extends Terminal {
  readonly issues: readonly Issue[];

  constructor(fault: {
    code: string;
    message: string;
    remedy: string;
    issues: readonly Issue[];
    status?: number;
  }) {
    super({ status: 400, ...fault });
    this.issues = fault.issues;
  }
}
