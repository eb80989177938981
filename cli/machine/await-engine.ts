import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';

/** Milliseconds. */
const ANSWERS_WITHIN = 3_000;
const ASK_EVERY = 250;

/**
 * Waits until an engine that starts again presents its new certificate. No secret is sent, so nothing is verified.
 * @param serial hexadecimal
 * @returns false if it does not within `patience` milliseconds, or cannot be reached from here
 */
export async function presents(
  place: { readonly host: string; readonly port: number },
  serial: string,
  patience: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (const begin = Date.now(); Date.now() - begin < patience && !signal.aborted; ) {
    const seen = await serialOf(place);
    if (seen === 'silent') return false;
    if (seen !== undefined && sameSerial(seen, serial)) return true;
    await sleep(ASK_EVERY, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

/** @returns undefined if nobody listens there now; `silent` if nobody answers at all */
function serialOf(place: {
  readonly host: string;
  readonly port: number;
}): Promise<string | 'silent' | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...place, rejectUnauthorized: false, timeout: ANSWERS_WITHIN });
    const end = (answer: string | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('secureConnect', () => end(socket.getPeerCertificate().serialNumber));
    socket.on('timeout', () => end('silent'));
    socket.on('error', ({ code }: NodeJS.ErrnoException) =>
      end(/^E(TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN)$/.test(code ?? '') ? 'silent' : undefined),
    );
  });
}

/** Leading zeros and letters' case say nothing. */
const sameSerial = (one: string, other: string): boolean => BigInt(`0x${one}`) === BigInt(`0x${other}`);
