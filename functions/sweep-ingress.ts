import type { DurableClient } from 'durable-functions';
import { keepIngress } from '../shared/ingress/ingress-activities.ts';
import { readState } from '../shared/ingress/ingress-state.ts';
import { nextIngressStep } from '../shared/ingress/next-step.ts';
import { seeIngress } from '../shared/ingress/see-ingress.ts';
import { forgetHosts, hostsDue } from './hosts-due.ts';
import { isGoing } from './instances.ts';
import type { Services } from './services.ts';

/** Milliseconds until what failed is tried again. */
const AGAIN_MS = 300_000;

/** Tells proxies what they may have missed, and starts what brings the ingress to what is asked for, if nothing does. */
export async function sweepIngress(
  made: Pick<Services, 'ingress' | 'stores' | 'tables' | 'acme' | 'certificates' | 'now' | 'notice'>,
  client: DurableClient,
): Promise<void> {
  const { owner, deployed, failure } = await readState(made.ingress);
  const seen = await seeIngress(made);
  if (seen.routes === 0 && deployed === undefined && seen.state.balancer === undefined) return;
  await forgetHosts(made);
  await made.notice.push();
  const now = made.now().getTime();
  if (nextIngressStep(seen).step === 'finish' && (await hostsDue(made)).length === 0) return;
  if (failure !== undefined && now - Date.parse(failure.at) < AGAIN_MS) return;
  if (owner !== undefined && (await isGoing(client, owner))) return;
  const instanceId = `ingress-${made.now().toISOString().slice(0, 16).replaceAll(':', '')}`;
  if (await isGoing(client, instanceId)) return;
  await client.startNew(keepIngress.name, { instanceId, input: { cause: 'sweep' } });
}
