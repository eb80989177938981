/** A message that was put aside since it could not be carried out. */
export interface DeadLetter {
  /** `service-bus` or `storage`. */
  readonly queue: 'service-bus' | 'storage';
  /** What `replay` takes: unique within its queue. */
  readonly id: string;
  /** What its sender called it. */
  readonly messageId: string;
  /** RFC 3339. */
  readonly enqueuedAt: string;
  readonly deliveries: number;
  readonly reason: string;
  readonly description: string;
  readonly body: string;
}

/** The dead letters of one queue. */
export interface DeadLetterQueue {
  list(): Promise<readonly DeadLetter[]>;
  /**
   * Sends these again and then takes them from the dead letters: after a crash between the two, the copy is the same
   * command by its id.
   * @param ids as `list` gives them; `all` for each that is there
   * @returns how many were sent
   */
  replay(ids: readonly string[] | 'all'): Promise<number>;
}
