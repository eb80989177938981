/** A state, not an operation: each call looks at what is there and begins what is missing, until nothing is. */
export type BalancerProgress =
  | { readonly state: 'done'; readonly address?: string }
  | { readonly state: 'going'; readonly afterMs: number }
  | { readonly state: 'refused'; readonly code: string; readonly message: string };

/** The load balancer in front of the ingress: one public address whose ports 80 and 443 lead to its machines. */
export interface Balancer {
  /** @param nics of the machines that it leads to */
  ensure(nics: readonly string[]): Promise<BalancerProgress>;
  /** Removes all of it; what is not there is removed already. */
  remove(): Promise<BalancerProgress>;
}

/** Names in ARM: always the same, so that nothing is ever left under another. */
export const BALANCER = 'berth-ingress';
export const BALANCER_IP = 'berth-ingress-ip';
/** Rules of the machines' security group that let the world in. */
export const BALANCER_RULE = 'AllowIngress';
