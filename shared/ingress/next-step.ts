import type { IngressState } from './ingress-state.ts';

/** What is known of the ingress at one moment. */
export interface IngressSeen {
  readonly state: IngressState;
  /** How many routes there are. */
  readonly routes: number;
  /** Names what images are made from now. */
  readonly recipe: string;
  /** Machines on which an image can be put together. */
  readonly workshops: readonly string[];
  /** Replicas of the ingress, and the NICs of the machines where they are healthy, sorted. */
  readonly healthy: number;
  readonly wanted: number;
  readonly nics: readonly string[];
  /** Whether a rollout of the ingress goes on, and the NICs of all machines that there are. */
  readonly rolling: boolean;
  readonly present: readonly string[];
  readonly now: number;
}

/** What is next, with its reason. */
export type IngressStep =
  | { readonly step: 'build-image'; readonly machine: string; readonly reason: string }
  | { readonly step: 'deploy'; readonly reason: string }
  | { readonly step: 'remove'; readonly reason: string }
  | { readonly step: 'make-balancer'; readonly members: readonly string[]; readonly reason: string }
  | { readonly step: 'remove-balancer'; readonly reason: string }
  | { readonly step: 'wait'; readonly reason: string }
  | { readonly step: 'finish'; readonly reason: string };

/** Images are made anew for Debian's security updates; milliseconds. */
export const IMAGE_LIFE = 30 * 24 * 3_600_000;

/** Of what is deployed: equal while nothing of it changed. */
export const deploymentOf = ({ image, settings }: IngressState): string =>
  image === undefined
    ? ''
    : `${image.digest} ${settings.pool} ${settings.everyMachine ? 'every' : settings.replicas}`;

/** The way from what is seen to an ingress that serves all routes, or to none where there are no routes. Pure. */
export function nextIngressStep(seen: IngressSeen): IngressStep {
  const { state, routes, workshops } = seen;
  if (routes === 0) {
    if (state.balancer !== undefined)
      return { step: 'remove-balancer', reason: 'there are no routes any more' };
    if (state.deployed !== undefined) return { step: 'remove', reason: 'there are no routes any more' };
    return { step: 'finish', reason: 'there are no routes' };
  }
  const stale = staleness(seen);
  const [machine] = workshops;
  if (stale !== undefined && machine !== undefined) return { step: 'build-image', machine, reason: stale };
  if (state.image === undefined)
    return { step: 'wait', reason: 'no machine is ready on which its image could be made' };
  if (state.deployed !== deploymentOf(state))
    return { step: 'deploy', reason: 'its image or its settings changed' };
  const { balancer } = state;
  const members = membersOf(seen);
  if (balancer === undefined || balancer.state !== 'ready')
    return { step: 'make-balancer', members, reason: 'there is no load balancer yet' };
  if (members.length > 0 && members.join() !== [...balancer.members].sort().join())
    return { step: 'make-balancer', members, reason: 'it leads to other machines now' };
  if (seen.healthy < seen.wanted)
    return { step: 'wait', reason: `${seen.healthy} of its ${seen.wanted} replicas are healthy` };
  return { step: 'finish', reason: 'all routes are served' };
}

/**
 * Whom the load balancer leads to. Its probe leaves out who does not answer: one whose replica is just being replaced stays,
 * since taking it out could cross with the rollout's putting it in again, right before the other is stopped.
 */
function membersOf({ state, nics, healthy, wanted, rolling, present }: IngressSeen): readonly string[] {
  const settled = !rolling && healthy >= wanted;
  const kept = settled ? [] : (state.balancer?.members ?? []).filter((nic) => present.includes(nic));
  return [...new Set([...nics, ...kept])].sort();
}

function staleness({ state: { image }, recipe, now }: IngressSeen): string | undefined {
  if (image === undefined) return 'it has no image yet';
  if (image.recipe !== recipe) return 'what its image is made from changed';
  return now - Date.parse(image.builtAt) > IMAGE_LIFE ? 'its image is older than 30 days' : undefined;
}
