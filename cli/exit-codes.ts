/** What the command ends with; docs/cli.md lists them. A job's own exit code comes through `berth jobs run`. */
export const exitCodes = {
  ok: 0,
  /** It was tried, and failed. */
  failed: 1,
  /** The command line, or a file that it names, is wrong. */
  usage: 2,
  notFound: 3,
  /** No key, a key that is not valid, or one that may not do this. */
  unauthorised: 4,
  /** Berth does not answer. */
  unreachable: 5,
  /** Accepted, but waiting for something that must come from outside: an image to be pushed. */
  waiting: 6,
  /** `berth plan --detailed-exitcode`: something would change. */
  changes: 10,
} as const;
