import { setTimeout as sleep } from 'node:timers/promises';
import { readLogs } from '../shared/api/routes/logs.ts';
import type { Client, Filling } from './client.ts';
import { isBreak, type LogLine, logEvents } from './read-log.ts';

export type ManyLine = LogLine & { readonly replica: string; readonly container: string };
export type ManyItem = { readonly line: ManyLine } | { readonly note: string };

/**
 * Lines of many logs. A stream that ends before it is to, or breaks off, is resumed where each log was.
 * @throws Failure
 */
export async function* readManyLogs(
  client: Client,
  environment: string,
  asked: NonNullable<Filling['query']>,
  signal: AbortSignal,
): AsyncGenerator<ManyItem> {
  const seen = new Map<string, { stdout: string; stderr: string }>();
  let oldest: string | undefined;
  for (;;) {
    let reason: string | undefined;
    const query = oldest === undefined ? asked : { ...asked, ...resumed(seen, asked.since, oldest) };
    try {
      const stream = await client.open(readLogs, { params: { environment }, query }, signal);
      for await (const event of logEvents(stream)) {
        if (event.event === 'note') yield { note: event.data.text };
        else if (event.event === 'end') reason = event.data.reason;
        else {
          const { replica = '', container = '', ...line } = event.data;
          oldest ??= line.time;
          seen.set(container, {
            ...(seen.get(container) ?? { stdout: '', stderr: '' }),
            [line.stream]: line.time,
          });
          yield { line: { ...line, replica, container } };
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isBreak(error)) throw error;
    }
    if (reason === 'complete' || signal.aborted) return;
    await sleep(reason === 'limit' ? 0 : 500, undefined, { signal }).catch(() => undefined);
  }
}

/** As many logs as fit in an address; one that was silent for longest begins again at the oldest line that was shown. */
const MOST = 90;

/** What is newer than the first line that was shown, and was not seen: the last lines were asked for once. */
function resumed(
  seen: ReadonlyMap<string, { stdout: string; stderr: string }>,
  since: unknown,
  oldest: string,
): { since: string; cursor: string; tail: undefined } {
  const newest = ({ stdout, stderr }: { stdout: string; stderr: string }) =>
    stdout > stderr ? stdout : stderr;
  const ordered = [...seen].sort(([, a], [, b]) => (newest(a) < newest(b) ? 1 : -1)).slice(0, MOST);
  return {
    since: typeof since === 'string' ? since : oldest,
    cursor: ordered.map(([id, { stdout, stderr }]) => `${id}~${stdout}~${stderr}`).join(','),
    tail: undefined,
  };
}
