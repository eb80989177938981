import { setTimeout as sleep } from 'node:timers/promises';
import {
  closeSession,
  MOST_INPUT,
  readSession,
  resizeSession,
  SessionEvent,
  writeSession,
} from '../../shared/api/routes/sessions.ts';
import type { Client } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { isBreak, serverEvents } from '../read-log.ts';

export const newSessionId = (): string => crypto.randomUUID().replaceAll('-', '');

export interface SessionPiece {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/**
 * What comes of a session, until it ends. A stream that ends before it does, or breaks off, is taken up again.
 * @returns its exit code
 * @throws Failure `session-lost`
 */
export async function* sessionOutput(
  client: Client,
  session: string,
  signal: AbortSignal,
): AsyncGenerator<SessionPiece, number | undefined> {
  let from = 0;
  while (!signal.aborted) {
    try {
      const stream = await client.open(readSession, { params: { session }, query: { from } }, signal);
      for await (const given of serverEvents(stream)) {
        const event = SessionEvent.parse(given);
        if (event.event === 'lost') throw new Failure({ ...event.data, exitCode: exitCodes.failed });
        if (event.event === 'end') break;
        from = event.data.seq + 1;
        if (event.event === 'piece')
          yield { stream: event.data.stream, bytes: Buffer.from(event.data.bytes, 'base64') };
        else if (event.data.fault !== undefined)
          throw new Failure({
            code: 'session-broken',
            message: event.data.fault,
            exitCode: exitCodes.failed,
          });
        else return event.data.code ?? undefined;
      }
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!isBreak(error)) throw error;
      await sleep(200);
    }
  }
  return undefined;
}

export interface SessionInput {
  /** Bytes go in the order in which they are given; resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

/** Bytes that wait for the request before theirs go together. */
export function sessionInput(client: Client, session: string): SessionInput {
  let at = 0;
  let waiting: Uint8Array[] = [];
  let ended = false;
  let going: Promise<void> | undefined;
  const send = async (): Promise<void> => {
    let sentEnd = false;
    while (waiting.length > 0 || (ended && !sentEnd)) {
      const all = Buffer.concat(waiting);
      const bytes = all.subarray(0, MOST_INPUT);
      waiting = bytes.length < all.length ? [all.subarray(MOST_INPUT)] : [];
      const end = ended && waiting.length === 0;
      await client.call(writeSession, {
        params: { session },
        json: { at, bytes: bytes.toString('base64'), end },
      });
      at += bytes.length;
      sentEnd = end;
    }
  };
  const flush = (): Promise<void> => {
    going ??= send().finally(() => {
      going = undefined;
    });
    return going;
  };
  return {
    async write(bytes) {
      waiting.push(bytes);
      const size = waiting.reduce((sum, { length }) => sum + length, 0);
      const sent = flush();
      if (size > MOST_INPUT) await sent;
      else sent.catch(() => undefined);
    },
    async end() {
      await going;
      ended = true;
      await flush();
    },
  };
}

export const resize = (client: Client, session: string, rows: number, columns: number): Promise<unknown> =>
  client.call(resizeSession, { params: { session }, json: { rows, columns } });

export const close = (client: Client, session: string): Promise<unknown> =>
  client.call(closeSession, { params: { session } });
