import { randomUUID } from 'node:crypto';

export type EventType = 'Freeze' | 'Reboot' | 'Redeploy' | 'Preempt' | 'Terminate';

export interface ScheduledEvent {
  readonly id: string;
  readonly type: EventType;
  readonly status: 'Scheduled' | 'Started';
  readonly notBefore: Date;
  readonly description: string;
}

/**
 * What Azure is about to do to machines. A machine reads of it in time, and may say that it is ready.
 * https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events
 */
export interface ScheduledEvents {
  /** Announces an event; resolves when the machine approves it or its time has come. Then it is shown as started. */
  announce(machine: string, type: EventType, notBefore: Date, description: string): Promise<string>;
  /** It is over, or called off: no longer shown. */
  end(machine: string, id: string): void;
  /** @returns false if the machine has no such event */
  approve(machine: string, id: string): boolean;
  of(machine: string): { readonly incarnation: number; readonly events: readonly ScheduledEvent[] };
  /** Forgets all of them, and their timers. */
  close(): void;
}

interface Announced {
  event: ScheduledEvent;
  start(): void;
}

/** @param machine in every call: the ARM id of the VM */
export function scheduledEvents(): ScheduledEvents {
  const announced = new Map<string, Map<string, Announced>>();
  const incarnations = new Map<string, number>();
  const changed = (machine: string) => incarnations.set(machine, (incarnations.get(machine) ?? 1) + 1);
  const eventsOf = (machine: string): Map<string, Announced> => {
    const found = announced.get(machine) ?? new Map<string, Announced>();
    announced.set(machine, found);
    return found;
  };

  return {
    announce(machine, type, notBefore, description) {
      const id = randomUUID().toUpperCase();
      return new Promise((resolve) => {
        const start = () => {
          clearTimeout(timer);
          entry.event = { ...entry.event, status: 'Started' };
          changed(machine);
          resolve(id);
        };
        const timer = setTimeout(start, Math.max(0, notBefore.getTime() - Date.now()));
        const entry: Announced = { event: { id, type, status: 'Scheduled', notBefore, description }, start };
        eventsOf(machine).set(id, entry);
        changed(machine);
      });
    },
    end(machine, id) {
      if (eventsOf(machine).delete(id)) changed(machine);
    },
    approve(machine, id) {
      const found = eventsOf(machine).get(id);
      if (found?.event.status === 'Scheduled') found.start();
      return found !== undefined;
    },
    of: (machine) => ({
      incarnation: incarnations.get(machine) ?? 1,
      events: [...eventsOf(machine).values()].map(({ event }) => event),
    }),
    close() {
      for (const events of announced.values())
        for (const { event, start } of events.values()) if (event.status === 'Scheduled') start();
      announced.clear();
    },
  };
}
