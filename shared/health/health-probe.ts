/** Asks a replica for its health, once. */
export interface HealthProbe {
  /**
   * With a path: HTTP GET must answer 2xx or 3xx. Without: the TCP port must accept, and not close at once, as a proxy
   * in front of a port that nobody listens on does.
   * @param timeout milliseconds
   * @returns why it is not healthy; undefined if it is
   */
  ask(
    target: { readonly address: string; readonly port: number; readonly path?: string | undefined },
    timeout: number,
  ): Promise<string | undefined>;
}
