import type { LogLevel, LogSink } from './core/wire.ts';

/** What the host itself has to say, to stderr, one line each. */
export interface HostLog {
  /** A function that failed, or a part of the host that goes on after an error; `where` names it. */
  failure(where: string, error: unknown): void;
  /** What functions and the library log, as far as host.json's levels want it. */
  readonly app: LogSink;
}

const severity: Record<LogLevel, number> = {
  trace: 0,
  debug: 1,
  information: 2,
  warning: 3,
  error: 4,
  critical: 5,
  none: 6,
};

export interface LogLevels {
  readonly user: LogLevel;
  readonly system: LogLevel;
}

export function hostLog(levels: LogLevels, write: (line: string) => void): HostLog {
  const line = (text: string) => write(`${text.replaceAll('\n', '\\n')}\n`);
  return {
    failure: (where, error) => line(`${where}: ${textOf(error)}`),
    app(level, category, message) {
      if (category !== 'customMetric' && severity[level] >= severity[levels[category]]) line(message);
    },
  };
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : ` (cause: ${textOf(error.cause)})`;
  return `${error.stack ?? error.message}${cause}`;
}
