import type { Bundle } from '@sigstore/bundle';

/** Entries of logs, and timestamps, of one bundle: clients make one or two. */
const MOST = 8;
/** Bytes of a certificate, a timestamp, a checkpoint or an entry's body: those that are made have a few thousand. */
const LARGEST = 256 * 1024;
/** Digits of an index. */
const DIGITS = 20;

/**
 * Refuses what would make verifying take long, before anything is verified: comparing every entry with every other, numbers
 * of a million digits. Payloads may be large, since they are only hashed.
 * @throws Error
 */
export function refuseOversized({ verificationMaterial }: Bundle): void {
  const { tlogEntries, timestampVerificationData, content } = verificationMaterial;
  const timestamps = timestampVerificationData?.rfc3161Timestamps ?? [];
  const certificates =
    content.$case === 'x509CertificateChain'
      ? content.x509CertificateChain.certificates
      : content.$case === 'certificate'
        ? [content.certificate]
        : [];
  const sizes = [
    ...certificates.map(({ rawBytes }) => rawBytes.length),
    ...timestamps.map(({ signedTimestamp }) => signedTimestamp.length),
    ...tlogEntries.map(({ canonicalizedBody }) => canonicalizedBody.length),
    ...tlogEntries.map(({ inclusionProof }) => inclusionProof?.checkpoint?.envelope.length ?? 0),
  ];
  const indexes = tlogEntries.flatMap(({ logIndex, integratedTime, inclusionProof }) => [
    logIndex,
    integratedTime,
    inclusionProof?.logIndex ?? '0',
    // A checkpoint's second line is the size of its log.
    inclusionProof?.checkpoint?.envelope.split('\n', 2)[1] ?? '0',
  ]);
  if (
    [certificates, timestamps, tlogEntries].some(({ length }) => length > MOST) ||
    sizes.some((size) => size > LARGEST) ||
    indexes.some(({ length }) => length > DIGITS)
  )
    throw new Error('it holds more to verify it with than any client makes');
}
