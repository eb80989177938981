import type { Digest } from '../../model/image.ts';
import type { Document, Evidence, Origin } from './evidence.ts';
import { signerText } from './signer-text.ts';
import { isAskedFor } from './statement.ts';
import type { Signer, TrustRule } from './trust-rule.ts';
import { whyNotBy } from './verify-document.ts';

/** What became of one piece of evidence under one signer. */
export interface Finding {
  readonly origin: Origin;
  /** What it says it is: a signature, or an attestation with its predicate type; absent if it cannot be read. */
  readonly kind: 'signature' | 'attestation' | undefined;
  readonly predicateType: string | undefined;
  /** Absent where it failed before anybody was asked for. */
  readonly signer: string | undefined;
  /** Why it does not count; absent if it does. */
  readonly why: string | undefined;
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

/**
 * Whether an image fulfils every rule, and if not, all that is missing. Pure: the same evidence always gives the same
 * judgement, today's date included, since what is keyless counts at the time that its log or its timestamp says.
 */
export function judge(rules: readonly TrustRule[], digest: Digest, collected: Collected): Judgement {
  const findings = new Map<string, Finding[]>();
  const examine = (signer: Signer): Finding[] => {
    const key = JSON.stringify(signer);
    const known = findings.get(key);
    if (known !== undefined) return known;
    const found = collected.evidence.map((evidence) => examineBy(signer, digest, evidence));
    findings.set(key, found);
    return found;
  };
  const reasons = rules.flatMap((rule) => {
    const found = rule.signedBy.flatMap(examine);
    const signers = rule.signedBy.map(signerText).join(' or ');
    const isMissing = (is: (finding: Finding) => boolean): boolean =>
      !found.some((finding) => finding.why === undefined && is(finding));
    return [
      ...(rule.signature && isMissing(isSignature)
        ? [`It is not signed by ${signers}: ${why(found.filter(isSignature), 'signature')}`]
        : []),
      ...rule.attestations.flatMap((asked) => {
        const is = (finding: Finding): boolean => isAttestation(finding, asked);
        return isMissing(is)
          ? [`It has no attestation "${asked}" by ${signers}: ${why(found.filter(is), 'attestation')}`]
          : [];
      }),
    ];
  });
  if (reasons.length === 0) return { verdict: { verdict: 'accepted' }, findings: distinct(findings) };
  const all = [...new Set(reasons)].slice(0, MOST);
  return {
    verdict: { verdict: 'refused', reasons: [...all, ...collected.unread] },
    findings: distinct(findings),
  };
}

/** What cannot be read could have been anything. */
const isSignature = ({ kind, origin }: Finding): boolean =>
  kind === undefined ? origin.form !== 'cosign attestation' : kind === 'signature';

const isAttestation = ({ kind, predicateType, origin }: Finding, asked: string): boolean =>
  kind === undefined
    ? origin.form !== 'cosign signature'
    : kind === 'attestation' && isAskedFor(asked, predicateType ?? '');

function examineBy(signer: Signer, digest: Digest, evidence: Evidence): Finding {
  const { origin } = evidence;
  if ('fault' in evidence)
    return {
      origin,
      kind: undefined,
      predicateType: undefined,
      signer: undefined,
      why: `it cannot be read: ${evidence.fault}`,
    };
  const { kind } = evidence.claim;
  const predicateType = evidence.claim.kind === 'attestation' ? evidence.claim.predicateType : undefined;
  if (!evidence.claim.digests.includes(digest))
    return {
      origin,
      kind,
      predicateType,
      signer: undefined,
      why: `it is about ${about(evidence)}, not about this image`,
    };
  const why = whyNotBy(signer, evidence);
  return { origin, kind, predicateType, signer: signerText(signer), why };
}

const about = ({ claim }: Document): string => claim.digests[0]?.slice(0, 100) ?? 'nothing';

function why(found: readonly Finding[], what: string): string {
  if (found.length === 0)
    return `nothing that refers to it is such ${what === 'signature' ? 'a' : 'an'} ${what}.`;
  const told = [...new Set(found.map((finding) => `${originText(finding.origin)}: ${finding.why}`))];
  const rest = told.length > MOST ? `; and ${told.length - MOST} more` : '';
  return `${told.slice(0, MOST).join('; ')}${rest}.`;
}

const originText = ({ form, manifest }: Origin): string => `the ${form} ${manifest.slice(0, 19)}`;

/** What failed before anybody was asked for, only once. */
function distinct(findings: ReadonlyMap<string, readonly Finding[]>): readonly Finding[] {
  const all = [...findings.values()].flat();
  return [...new Map(all.map((finding) => [JSON.stringify(finding), finding])).values()];
}
