/** Takes messages of one address; @returns those that it leaves for the next time. */
export type Take<Message> = (address: string, messages: readonly Message[]) => Promise<readonly Message[]>;

export interface Mailboxes<Message> {
  post(address: string, message: Message): void;
  /** Resolves when nothing is being taken any more; what is posted later is still taken. */
  idle(): Promise<void>;
}

/** Messages by address: those of one address are taken one batch after the other, different addresses side by side. */
export function mailboxes<Message>(take: Take<Message>): Mailboxes<Message> {
  const waiting = new Map<string, Message[]>();
  const running = new Map<string, Promise<void>>();

  const drain = async (address: string): Promise<void> => {
    for (;;) {
      const batch = waiting.get(address);
      if (batch === undefined) return;
      waiting.delete(address);
      const left = await take(address, batch);
      if (left.length > 0) waiting.set(address, [...left, ...(waiting.get(address) ?? [])]);
    }
  };
  return {
    post(address, message) {
      const batch = waiting.get(address);
      if (batch === undefined) waiting.set(address, [message]);
      else batch.push(message);
      if (running.has(address)) return;
      running.set(
        address,
        drain(address).finally(() => running.delete(address)),
      );
    },
    async idle() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}
