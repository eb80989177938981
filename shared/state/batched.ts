/** Work on one subject at a time; what is asked for meanwhile is done together, once. */
export function batched<Item>(
  work: (subject: string, items: readonly Item[]) => Promise<void>,
): (subject: string, item: Item) => Promise<void> {
  const waiting = new Map<string, { readonly items: Item[]; readonly done: Promise<void> }>();
  const running = new Map<string, Promise<void>>();
  return (subject, item) => {
    const batch = waiting.get(subject);
    if (batch !== undefined) {
      batch.items.push(item);
      return batch.done;
    }
    const items = [item];
    const before = running.get(subject) ?? Promise.resolve();
    const begin = () => {
      waiting.delete(subject);
      return work(subject, items);
    };
    const done = before.then(begin, begin);
    waiting.set(subject, { items, done });
    running.set(subject, done);
    return done;
  };
}

/** Work that is under way is not begun again: who asks for it meanwhile waits for its end. */
export function shared(): (subject: string, work: () => Promise<void>) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  return (subject, work) => {
    const going = running.get(subject);
    if (going !== undefined) return going;
    const begun = work().finally(() => running.delete(subject));
    running.set(subject, begun);
    return begun;
  };
}
