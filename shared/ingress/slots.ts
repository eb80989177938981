import { z } from 'zod';

/** A replica that requests go to. `replica` is its container's name, which is never given twice. */
export const Server = z.object({ replica: z.string(), address: z.string(), port: z.number().int() });
export type Server = z.infer<typeof Server>;

/**
 * Places for servers of one route: the proxy changes what a place means while it runs, but not how many there are.
 * `out`: it gets no more requests, but may have some under way.
 */
export const Slots = z.array(Server.extend({ out: z.boolean().optional() }).nullable());
export type Slots = z.infer<typeof Slots>;

const FEWEST = 8;

/**
 * Gives every server a place; what has one keeps it. Places that nothing had are given first, then those of servers that
 * are out. At least twice as many as are needed are there. Pure.
 */
export function assignSlots(before: Slots, servers: readonly Server[]): Slots {
  const waiting = new Map(servers.map((server) => [server.replica, server]));
  const slots: Slots[number][] = before.map((slot) => {
    if (slot === null) return null;
    const server = waiting.get(slot.replica);
    waiting.delete(slot.replica);
    return server ?? { ...slot, out: true };
  });
  while (slots.length < Math.max(FEWEST, servers.length * 2)) slots.push(null);
  // Numbers of places grow by doubling: each growth begins a new process of the proxy.
  while ((slots.length & (slots.length - 1)) !== 0) slots.push(null);
  const free = (isFree: (slot: Slots[number]) => boolean) =>
    slots.flatMap((slot, index) => (isFree(slot) ? [index] : []));
  const places = [...free((slot) => slot === null), ...free((slot) => slot?.out === true)];
  const sorted = [...waiting.values()].sort((a, b) => (a.replica < b.replica ? -1 : 1));
  for (const [turn, server] of sorted.entries()) {
    const index = places[turn];
    if (index !== undefined) slots[index] = server;
  }
  return slots;
}

/** Whether requests go to what is at a place. */
export const isIn = (slot: Slots[number] | undefined): slot is Server => slot != null && slot.out !== true;
