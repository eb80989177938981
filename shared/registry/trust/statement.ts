import type { Envelope } from '@sigstore/bundle';
import { z } from 'zod';
import type { Claim } from './evidence.ts';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
/** What cosign 3 signs an image with: https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md */
const COSIGN_SIGNATURE = 'https://sigstore.dev/cosign/sign/v1';

/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
const Statement = z.object({
  _type: z.enum(['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1']),
  subject: z.array(z.object({ digest: z.record(z.string(), z.string()) })).min(1),
  predicateType: z.string().min(1),
  predicate: z.unknown().optional(),
});

/** @throws Error what it says cannot be read */
export function claimOfEnvelope({ payloadType, payload }: Envelope): Claim {
  if (payloadType !== PAYLOAD_TYPE)
    throw new Error(`its payload is ${payloadType || 'of no type'}, not ${PAYLOAD_TYPE}`);
  const parsed = Statement.safeParse(JSON.parse(payload.toString('utf8')));
  if (!parsed.success) throw new Error('its payload is no in-toto statement');
  const { subject, predicateType, predicate } = parsed.data;
  const digests = subject.flatMap(({ digest }) =>
    Object.entries(digest).map(([algorithm, hex]) => `${algorithm}:${hex}`),
  );
  if (predicateType === COSIGN_SIGNATURE) return { kind: 'signature', digests };
  if (typeof predicate !== 'object' || predicate === null || Object.keys(predicate).length === 0)
    throw new Error('its predicate is empty');
  return { kind: 'attestation', predicateType, digests };
}

/** Whether a predicate type is what a rule asks for by a short name, or is that type itself. */
export function isAskedFor(asked: string, predicateType: string): boolean {
  switch (asked) {
    case 'sbom':
      return /^https:\/\/(spdx\.dev\/Document|cyclonedx\.org\/bom)(\/v?\d+(\.\d+)*)?$/.test(predicateType);
    case 'provenance':
      return /^https:\/\/slsa\.dev\/provenance\/v(0\.2|1(\.\d+)?)$/.test(predicateType);
    default:
      return asked === predicateType;
  }
}
