/** Work that callers share while it goes on and once it has succeeded; after a failure the next call begins again. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let going: Promise<T> | undefined;
  return () => {
    going ??= work().catch((error) => {
      going = undefined;
      throw error;
    });
    return going;
  };
}

/** The same for each of several keys. */
export function oncePer<Key, T>(work: (key: Key) => Promise<T>): (key: Key) => Promise<T> {
  const known = new Map<Key, () => Promise<T>>();
  return (key) => {
    const one = known.get(key) ?? once(() => work(key));
    known.set(key, one);
    return one();
  };
}
