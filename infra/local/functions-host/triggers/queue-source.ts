/** A message of a storage queue, hidden from others until `nextVisibleOn`. */
export interface QueueMessage {
  readonly id: string;
  readonly text: string;
  readonly popReceipt: string;
  readonly dequeueCount: number;
  readonly insertedOn: Date;
  readonly expiresOn: Date;
  readonly nextVisibleOn: Date;
}

/** A storage queue as its trigger needs it; a queue that does not exist is an empty one. */
export interface QueueSource {
  /** @param hiddenSeconds how long others do not see what is received */
  receive(most: number, hiddenSeconds: number): Promise<readonly QueueMessage[]>;
  /** Hides a message anew, from now on. @returns its new pop receipt; undefined if it is ours no longer */
  hide(message: QueueMessage, popReceipt: string, seconds: number): Promise<string | undefined>;
  delete(message: QueueMessage, popReceipt: string): Promise<void>;
  /** Puts a copy into the queue's poison queue. */
  poison(message: QueueMessage): Promise<void>;
}
