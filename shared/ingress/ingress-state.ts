import { z } from 'zod';
import { Digest } from '../model/image.ts';
import { PoolName } from '../model/names.ts';
import { type Documents, documents } from '../state/documents.ts';
import type { Tables } from '../state/tables.ts';
import { Slots } from './slots.ts';

/** What the proxies were last given. */
export const ProxyState = z.object({
  version: z.number().int().min(0),
  /** By the route's backend. */
  servers: z.record(z.string(), Slots),
});
export type ProxyState = z.infer<typeof ProxyState>;

/** How the ingress is to be. */
export const IngressSettings = z.strictObject({
  replicas: z.number().int().min(1).max(100).default(2),
  /** One on each machine of the pool instead. */
  everyMachine: z.boolean().default(false),
  pool: PoolName.default(PoolName.parse('default')),
});
export type IngressSettings = z.infer<typeof IngressSettings>;

/** The image of the proxy, and of which packages it was made. */
export const IngressImage = z.object({
  digest: Digest,
  /** Changes with what makes the image. */
  recipe: z.string(),
  version: z.string(),
  builtAt: z.iso.datetime(),
});
export type IngressImage = z.infer<typeof IngressImage>;

/** The load balancer in front: its names are recorded before anything is asked for. */
const BalancerRecord = z.object({
  state: z.enum(['making', 'ready', 'removing']),
  address: z.string().optional(),
  /** NICs that it leads to. */
  members: z.array(z.string()).default([]),
});

/** How the ingress is. */
export const IngressState = z.object({
  settings: IngressSettings.default(IngressSettings.parse({})),
  image: IngressImage.optional(),
  /** What was deployed last: absent while there is none. */
  deployed: z.string().optional(),
  balancer: BalancerRecord.optional(),
  /** Orchestration that keeps it. */
  owner: z.string().optional(),
  failure: z.object({ code: z.string(), reason: z.string(), at: z.iso.datetime() }).optional(),
});
export type IngressState = z.infer<typeof IngressState>;

const TABLE = 'ingress';
const PARTITION = 'ingress';

/** Where both are kept. */
export const ingressPlaces = { proxy: [PARTITION, 'proxy'], state: [PARTITION, 'state'] } as const;

export interface IngressStores {
  readonly proxy: Documents<ProxyState>;
  readonly state: Documents<IngressState>;
}

export const ingressStores = (tables: Tables): IngressStores => ({
  proxy: documents(tables, TABLE, ProxyState),
  state: documents(tables, TABLE, IngressState),
});

export async function readState({ state }: IngressStores): Promise<IngressState> {
  return (await state.get(...ingressPlaces.state))?.value ?? IngressState.parse({});
}

export async function changeState(
  { state }: IngressStores,
  change: (current: IngressState) => IngressState | undefined,
): Promise<IngressState> {
  const changed = await state.update(...ingressPlaces.state, (current) =>
    change(current ?? IngressState.parse({})),
  );
  return changed ?? IngressState.parse({});
}
