import { z } from 'zod';

/** A replica that requests go to. `replica` is its container's name, which is never given twice. */
export const Server = z.object({ replica: z.string(), address: z.string(), port: z.number().int() });
export type Server = z.infer<typeof Server>;

/** Places for servers of one route: the proxy changes what a place means while it runs, but not how many there are. */
export const Slots = z.array(Server.nullable());
export type Slots = z.infer<typeof Slots>;

const FEWEST = 8;

/**
 * Gives every server a place. What has one keeps it; a place that came free is given again as late as can be, since
 * requests to its former server may be under way. Twice the places that are needed are there. Pure.
 */
export function assignSlots(before: Slots, servers: readonly Server[]): Slots {
  const wanted = new Map(servers.map((server) => [server.replica, server]));
  const slots: (Server | null)[] = before.map((slot) => {
    const server = slot === null ? undefined : wanted.get(slot.replica);
    if (server !== undefined) wanted.delete(server.replica);
    return server ?? null;
  });
  while (slots.length < FEWEST || slots.length < servers.length * 2)
    slots.push(...(slots.length === 0 ? Array<null>(FEWEST).fill(null) : slots.map(() => null)));
  const sorted = [...wanted.values()].sort((a, b) => (a.replica < b.replica ? -1 : 1));
  const empty = slots.flatMap((slot, index) => (slot === null ? [index] : []));
  const last = Math.max(-1, ...before.flatMap((slot, index) => (slot === null ? [] : [index])));
  const inTurn = [...empty.filter((index) => index > last), ...empty.filter((index) => index <= last)];
  for (const [turn, server] of sorted.entries()) {
    const index = inTurn[turn];
    if (index !== undefined) slots[index] = server;
  }
  return slots;
}
