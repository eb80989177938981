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
