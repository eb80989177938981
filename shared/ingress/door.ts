/** A replica of the ingress, as it is reached. */
export interface IngressReplica {
  readonly machine: string;
  readonly address: string;
  readonly container: string;
}

/** One version of what the proxy is to do. */
export interface Bundle {
  /** Later ones are larger: a replica never goes back. */
  readonly version: number;
  readonly text: string;
  readonly structure: string;
  readonly commands: readonly string[];
  /** Asked for where the replica has others: PEM by name. */
  certificates(): Promise<readonly { readonly name: string; readonly pem: string }[]>;
}

/** How replicas of the ingress are told; by the machine's engine, so that no further port is open. */
export interface Door {
  /**
   * Returns when this version, or a later one, is in use.
   * @throws Terminal `proxy-refused` if the proxy does not take it; Retryable if the replica does not answer
   */
  apply(replica: IngressReplica, bundle: Bundle): Promise<void>;
  /** The load balancer gives it no more connections, from its next probe on. */
  leave(replica: IngressReplica): Promise<void>;
  /** Waits until the servers have no request under way; at most so many seconds. `servers`: `backend/s0`. @returns whether they have none */
  drained(replica: IngressReplica, servers: readonly string[], seconds: number): Promise<boolean>;
}
