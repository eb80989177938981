import type { Machine } from '../model/machine.ts';

/** As the machine's own timer: shared/machines/agent.ts. Milliseconds. */
const RENEWED_BEFORE = 30 * 86_400_000;

/**
 * Whether a machine is to ask for another certificate: somebody wants it, or the one that it was given last ends soon, or
 * has ended while the machine was off. It hears so in the answer to its report, for which it needs no certificate. Pure.
 */
export const wantsCertificate = (
  { certificate, renewal }: { readonly [K in 'certificate' | 'renewal']?: Machine[K] | undefined },
  now: Date,
): boolean =>
  renewal !== undefined ||
  (certificate !== undefined && Date.parse(certificate.notAfter) - now.getTime() < RENEWED_BEFORE);
