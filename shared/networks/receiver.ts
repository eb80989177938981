import type { NetworkDocument } from './protocol.ts';

/** Where machines take what the app tells them of the network. */
export interface Receivers {
  /** @throws Retryable if the machine does not answer or does not take it */
  tell(
    machine: { readonly name: string; readonly address: string },
    document: NetworkDocument,
  ): Promise<void>;
}
