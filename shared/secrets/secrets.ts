/**
 * Named secrets of the app, sealed at rest. Names are paths of letters, digits, `-`, `_`, `.` and `/`.
 * Failures: `Terminal` `secret-unreadable` if no master key opens the record.
 */
export interface Secrets {
  /** The secret of that name; made and stored first if there is none. All instances of the app get the same. */
  ensure(name: string, make: () => Promise<Uint8Array>): Promise<Uint8Array>;
  /** Stores a secret, in place of what the name meant before. */
  seal(name: string, value: Uint8Array): Promise<void>;
  open(name: string): Promise<Uint8Array | undefined>;
  remove(name: string): Promise<void>;
  /** Names that begin with `prefix`, sorted. */
  names(prefix: string): AsyncIterable<string>;
}
