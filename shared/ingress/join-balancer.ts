import type { Stores } from '../workloads/stores.ts';
import type { Balancer } from './balancer/balancer.ts';
import { changeState, type IngressStores } from './ingress-state.ts';
import { seeIngress } from './see-ingress.ts';

/** Milliseconds that a replica waits for; the sweep does what takes longer. */
const PATIENCE_MS = 90_000;

/**
 * Has the load balancer lead to all machines on which the ingress is healthy, before one of them is stopped for another.
 * Those that left are taken out by the sweep. Where there is no load balancer yet, nothing is done.
 */
export async function joinBalancer(ports: {
  readonly stores: Stores;
  readonly ingress: IngressStores;
  readonly balancer: Balancer;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
}): Promise<void> {
  const { ingress, balancer, now, sleep } = ports;
  const { state, nics } = await seeIngress(ports);
  if (state.balancer?.state !== 'ready') return;
  const { members } = state.balancer;
  if (nics.every((nic) => members.includes(nic))) return;
  const wanted = [...new Set([...members, ...nics])].sort();
  const until = now().getTime() + PATIENCE_MS;
  while (now().getTime() < until) {
    const progress = await balancer.ensure(wanted);
    if (progress.state === 'refused') return;
    if (progress.state === 'going') {
      await sleep(Math.max(progress.afterMs, 200));
      continue;
    }
    await changeState(ingress, (current) =>
      current.balancer?.state === 'ready'
        ? { ...current, balancer: { ...current.balancer, members: wanted } }
        : undefined,
    );
    return;
  }
}
