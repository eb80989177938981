/** Something that starts functions when there is work. */
export interface RunningTrigger {
  /** Takes no more work and waits for what is under way. */
  stop(): Promise<void>;
}
