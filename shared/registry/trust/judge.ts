import type { Digest } from '../../model/image.ts';
import type { Evidence, Origin } from './evidence.ts';
import { signerText } from './signer-text.ts';
import { isAskedFor } from './statement.ts';
import type { Signer, TrustRule } from './trust-rule.ts';
import { whyNotBy } from './verify-document.ts';

/** What one piece of evidence is, and for whom it counts. */
export interface Finding {
  readonly origin: Origin;
  /** What it says it is; absent if it cannot be read. */
  readonly kind: 'signature' | 'attestation' | undefined;
  /** Of an attestation. */
  readonly predicateType: string | undefined;
  /** Why it counts for nobody: it cannot be read, or is about another image. */
  readonly fault: string | undefined;
  /** Every signer that rules ask for, with why it is not by that one; absent if it is. */
  readonly by: readonly { readonly signer: Signer; readonly why: string | undefined }[];
}

export type Verdict =
  | { readonly verdict: 'accepted' }
  | { readonly verdict: 'refused'; readonly reasons: readonly string[] };

export interface Judgement {
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
}

export interface Collected {
  readonly evidence: readonly Evidence[];
  /** What was not looked at, and why. */
  readonly unread: readonly string[];
}

/** Reasons that are told at most, and evidence that each names. */
const MOST = 10;
/** Characters of a reason: they are kept with the service. */
const LONGEST = 2000;

/**
 * Whether an image fulfils every rule, and if not, all that is missing. Pure: the same evidence gives the same judgement
 * whenever it is asked for, since what is keyless counts at the time that its log or its timestamp says.
 */
export function judge(rules: readonly TrustRule[], digest: Digest, collected: Collected): Judgement {
  const signers = new Map(rules.flatMap(({ signedBy }) => signedBy).map((one) => [keyOf(one), one]));
  const findings = collected.evidence.map((evidence) => examine([...signers.values()], digest, evidence));
  const reasons = rules.flatMap((rule) => [
    ...(rule.signature ? whyMissing(findings, rule, isSignature, 'a signature') : []),
    ...rule.attestations.flatMap((asked) =>
      whyMissing(findings, rule, (finding) => isAttestation(finding, asked), `an attestation "${asked}"`),
    ),
  ]);
  if (reasons.length === 0) return { verdict: { verdict: 'accepted' }, findings };
  const told = [...new Set(reasons)].slice(0, MOST).map((reason) => reason.slice(0, LONGEST));
  return { verdict: { verdict: 'refused', reasons: [...told, ...collected.unread] }, findings };
}

function examine(signers: readonly Signer[], digest: Digest, evidence: Evidence): Finding {
  const { origin } = evidence;
  if ('fault' in evidence)
    return {
      origin,
      kind: undefined,
      predicateType: undefined,
      fault: `it cannot be read: ${evidence.fault}`,
      by: [],
    };
  const { kind, digests } = evidence.claim;
  const predicateType = evidence.claim.kind === 'attestation' ? evidence.claim.predicateType : undefined;
  const what = { origin, kind, predicateType };
  if (!digests.includes(digest))
    return {
      ...what,
      fault: `it is about ${digests[0]?.slice(0, 100) ?? 'nothing'}, not about this image`,
      by: [],
    };
  const by = signers.map((signer) => ({ signer, why: whyNotBy(signer, evidence) }));
  return { ...what, fault: undefined, by };
}

/** What cannot be read could have been anything. */
const isSignature = ({ kind, origin }: Finding): boolean =>
  kind === undefined ? origin.form !== 'cosign attestation' : kind === 'signature';

const isAttestation = ({ kind, predicateType, origin }: Finding, asked: string): boolean =>
  kind === undefined
    ? origin.form !== 'cosign signature'
    : kind === 'attestation' && isAskedFor(asked, predicateType ?? '');

/** @returns one sentence, or none if it is there */
function whyMissing(
  findings: readonly Finding[],
  { signedBy }: TrustRule,
  is: (finding: Finding) => boolean,
  what: string,
): readonly string[] {
  const wanted = new Set(signedBy.map(keyOf));
  const asked = findings.filter(is).map(({ origin, fault, by }) => ({
    origin,
    whys:
      fault === undefined
        ? by.filter(({ signer }) => wanted.has(keyOf(signer))).map(({ why }) => why)
        : [fault],
  }));
  if (asked.some(({ whys }) => whys.includes(undefined))) return [];
  const told = asked.map(({ origin, whys }) => `${originText(origin)}: ${[...new Set(whys)].join(', ')}`);
  const rest = told.length > MOST ? `; and ${told.length - MOST} more` : '';
  const found = told.length === 0 ? 'none was found' : `${told.slice(0, MOST).join('; ')}${rest}`;
  return [`It needs ${what} by ${signedBy.map(signerText).join(' or ')}: ${found}.`];
}

/** Two that differ in anything, their trusted root for one, are two signers. */
const keyOf = (signer: Signer): string => JSON.stringify(signer);

const originText = ({ form, manifest }: Origin): string => `the ${form} ${manifest.slice(0, 19)}`;
