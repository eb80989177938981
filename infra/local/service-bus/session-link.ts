import type { Sender } from 'rhea';
import { types } from './amqp.ts';
import type { HeldSession } from './sessions.ts';

/** Names that Service Bus gives to what a link's attach says of sessions. */
const filterName = 'com.microsoft:session-filter';
const timeoutName = 'com.microsoft:timeout';
const lockedUntilName = 'com.microsoft:locked-until-utc';
/** Milliseconds that the service waits where the client names no time: 1 minute and 5 seconds. */
const usualWait = 65_000;
/** .NET counts 100 ns from the year 1. */
const ticksAtEpoch = 621_355_968_000_000_000n;

export interface AskedSession {
  /** undefined: the next one that is free. */
  readonly id: string | undefined;
  /** Milliseconds to wait for one. */
  readonly wait: number;
}

/** The session that a receiver's source asks for; undefined if it asks for none. */
export function sessionAsked(link: Sender): AskedSession | undefined {
  const filter = link.source?.filter as Record<string, unknown> | undefined;
  if (filter === undefined || filter === null || !(filterName in filter)) return undefined;
  const given = filter[filterName];
  const value = typeof given === 'object' && given !== null ? (given as { value?: unknown }).value : given;
  const wait: unknown = link.properties?.[timeoutName];
  return {
    id: typeof value === 'string' ? value : undefined,
    wait: typeof wait === 'number' && wait > 0 ? wait : usualWait,
  };
}

interface Opening {
  readonly state: { local_open: boolean; open_requests: number };
  readonly local: { readonly attach: { properties: object } };
  open(): void;
}
const openingOf = (link: Sender): Opening => link as unknown as Opening;
const postponed = new WeakSet<Sender>();

/** rhea answers an attach at once; this one is answered by `attachToSession` or `attachWithoutSession`. */
export function postponeAttach(link: Sender): void {
  const { state } = openingOf(link);
  state.local_open = false;
  state.open_requests -= 1;
  postponed.add(link);
  // Where the peer gives up before, its detach is answered as AMQP wants it: after an attach.
  link.once('sender_close', () => {
    if (postponed.has(link)) attachWithoutSession(link);
  });
}

export function attachToSession(link: Sender, session: HeldSession): void {
  openingOf(link).local.attach.properties = {
    [lockedUntilName]: types.wrap_long(ticks(session.lockedUntil)),
  };
  attach(link, session.id);
}

/** What follows says why. */
export const attachWithoutSession = (link: Sender): void => attach(link, null);

function attach(link: Sender, sessionId: string | null): void {
  link.set_source({ address: link.source?.address ?? '', filter: { [filterName]: sessionId } });
  postponed.delete(link);
  openingOf(link).open();
}

function ticks(milliseconds: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(milliseconds) * 10_000n + ticksAtEpoch);
  return bytes;
}
