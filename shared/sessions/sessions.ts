import type { Channel } from '../docker/access.ts';
import { Terminal } from '../model/errors.ts';
import type { Tables } from '../state/tables.ts';
import { forgetSession, isLost, lost, readHead, remoteSession, serveRelay, writeHead } from './relay.ts';
import { type HeldSession, holdSession, type Session } from './session.ts';

export interface Sessions {
  /**
   * Begins a session in this instance. The same id again is the same session, and nothing is opened for it.
   * @param id 32 hex digits
   */
  begin(id: string, principal: string, open: () => Promise<Channel>): Promise<void>;
  /** @throws Terminal 404 `session-not-found`, 410 `session-lost` */
  find(id: string, principal: string): Promise<Session>;
}

/** A session that nobody reads for so long is closed: its user has gone. Milliseconds. */
const ABANDONED_MS = 60_000;
/** After its end it can be asked how it ended. */
const REMEMBERED_MS = 60_000;
/** Held by one instance. */
const MOST = 200;

export function sessions(
  tables: Tables,
  now: () => number = Date.now,
  sleep: (milliseconds: number) => Promise<void> = (milliseconds) =>
    new Promise((resolve) => {
      setTimeout(resolve, milliseconds).unref();
    }),
): Sessions {
  const held = new Map<string, { session: HeldSession; principal: string }>();

  const tend = async (session: HeldSession, principal: string): Promise<void> => {
    let overSince: number | undefined;
    const goesOn = () => {
      if (session.over()) overSince ??= now();
      return overSince === undefined
        ? now() - session.idleSince() < ABANDONED_MS
        : now() - overSince < REMEMBERED_MS && now() - session.idleSince() < REMEMBERED_MS;
    };
    while (goesOn()) {
      try {
        await serveRelay(tables, session, { principal, aliveAt: now() }, goesOn, sleep, now);
      } catch {
        // Storage was away for a moment; whoever reads here has noticed nothing.
        await sleep(1000);
      }
    }
    await session.close();
    held.delete(session.id);
    await forgetSession(tables, session.id).catch(() => undefined);
  };

  return {
    async begin(id, principal, open) {
      if (held.get(id)?.principal === principal) return;
      if ((await readHead(tables, id)) !== undefined) return;
      if (held.size >= MOST)
        throw new Terminal({
          code: 'sessions-too-many',
          status: 429,
          message: `This instance of the app holds ${MOST} sessions already.`,
          remedy: 'End some that are not needed, and try again.',
        });
      const session = holdSession(id, await open(), now);
      held.set(id, { session, principal });
      await writeHead(tables, id, { principal, aliveAt: now() });
      void tend(session, principal);
    },
    async find(id, principal) {
      const own = held.get(id);
      if (own !== undefined && own.principal === principal) return own.session;
      const head = await readHead(tables, id);
      if (head === undefined || head.principal !== principal)
        throw new Terminal({
          code: 'session-not-found',
          status: 404,
          message: `There is no session ${id} of yours.`,
          remedy: 'Begin one: berth exec. One that ended is known for a minute.',
        });
      if (isLost(head, now())) throw lost();
      return remoteSession(tables, id, sleep, now);
    },
  };
}
