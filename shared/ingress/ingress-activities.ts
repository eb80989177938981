import { z } from 'zod';
import { MachineName } from '../model/names.ts';
import { signature } from '../model/signature.ts';
import type { BuildLook } from './image/build-image.ts';
import type { IngressStep } from './next-step.ts';

const owned = { owner: z.string() };

/** Brings the ingress to what routes and settings ask for, and ends; the newest one owns it. */
export const keepIngress = signature('keep-ingress', {
  input: z.object({ cause: z.string() }),
  output: z.object({ state: z.enum(['done', 'superseded', 'failed']) }),
});

export type LookedAt =
  | { readonly outcome: 'superseded' }
  | { readonly outcome: 'seen'; readonly step: IngressStep };

/** Takes the ingress over, or finds that a later one did. `take`: the first look of an orchestration. */
export const lookAtIngress = signature('look-at-ingress', {
  input: z.object({ ...owned, take: z.boolean() }),
  output: z.custom<LookedAt>(),
});

export const beginIngressImage = signature('begin-ingress-image', {
  input: z.object({ machine: MachineName }),
  output: z.object({}),
});

export const lookAtIngressImage = signature('look-at-ingress-image', {
  input: z.object({ machine: MachineName }),
  output: z.custom<BuildLook>(),
});

/** Deploys the ingress as an application; without routes it is deployed as nothing, which removes it. */
export const deployIngress = signature('deploy-ingress', {
  input: z.object({ ...owned, remove: z.boolean() }),
  output: z.object({}),
});

/** Every proxy gets what routes are now. */
export const pushIngress = signature('push-ingress', {
  input: z.object({}),
  output: z.object({ version: z.number(), failed: z.number() }),
});

/** One step on the way to a load balancer, or to none. */
export const balanceIngress = signature('balance-ingress', {
  input: z.object({ members: z.array(z.string()).optional() }),
  output: z.custom<
    | { readonly state: 'done' }
    | { readonly state: 'going'; readonly afterMs: number }
    | { readonly state: 'refused'; readonly code: string; readonly message: string }
  >(),
});

/** Hosts whose certificate is to be asked for now. */
export const dueCertificates = signature('due-certificates', {
  input: z.object({}),
  output: z.object({ hosts: z.array(z.string()) }),
});

/** One attempt at the certificate of a host; a failure is recorded, and is none of the activity. */
export const obtainCertificate = signature('obtain-certificate', {
  input: z.object({ host: z.string() }),
  output: z.object({ result: z.enum(['valid', 'failed', 'not-due']) }),
});

/** Writes why the ingress is not what it should be, or that it is. */
export const noteIngress = signature('note-ingress', {
  input: z.object({ ...owned, failure: z.object({ code: z.string(), reason: z.string() }).optional() }),
  output: z.object({}),
});
