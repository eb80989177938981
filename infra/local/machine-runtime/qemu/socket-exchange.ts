import { connect } from 'node:net';
import { Retryable } from '../../../../shared/model/errors.ts';

/** Reads answers one after the other. */
export interface Exchange {
  /** Sends a command and answers its `return`. @throws Retryable `machine-not-answering`, Error with what was refused */
  ask(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Sends text as it is. */
  send(text: string): void;
  /** The next line that is no event. */
  next(): Promise<Readonly<Record<string, unknown>>>;
}

/**
 * Speaks with QEMU or with the guest agent over a socket: JSON lines, one conversation at a time, closed at the end.
 * https://www.qemu.org/docs/master/interop/qmp-spec.html, /interop/qemu-ga-ref.html
 * @param patience milliseconds that all of it may take
 */
export async function exchange<T>(
  socket: string,
  patience: number,
  talk: (with_: Exchange) => Promise<T>,
): Promise<T> {
  const connection = connect(socket);
  const lines: Readonly<Record<string, unknown>>[] = [];
  let wake: () => void = () => {};
  let failure: Error | undefined;
  const fail = (reason: string) => {
    failure ??= new Retryable({
      code: 'machine-not-answering',
      message: `${socket}: ${reason}`,
      remedy: 'The machine is booting or going down; it is asked again.',
    });
    wake();
  };
  const timer = setTimeout(() => fail(`no answer within ${patience / 1000} s`), patience);
  let rest = '';
  connection.on('data', (chunk) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const line = parse(part);
      if (line !== undefined && !('event' in line)) lines.push(line);
    }
    wake();
  });
  connection.on('error', (error) => fail(error.message));
  connection.on('close', () => fail('the connection was closed'));
  const next = async () => {
    for (;;) {
      const line = lines.shift();
      if (line !== undefined) return line;
      if (failure !== undefined) throw failure;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const send = (text: string) => void connection.write(text);
  try {
    return await talk({
      send,
      next,
      async ask(command, args) {
        send(`${JSON.stringify({ execute: command, ...(args !== undefined && { arguments: args }) })}\n`);
        const answer = await next();
        if ('return' in answer) return answer['return'];
        throw new Error(`${command}: ${JSON.stringify(answer['error'] ?? answer)}`);
      },
    });
  } finally {
    clearTimeout(timer);
    connection.destroy();
  }
}

/** The guest agent puts 0xff before its first answer after `guest-sync-delimited`. */
function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text.slice(text.indexOf('{'))) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
