import { createHash, X509Certificate } from 'node:crypto';
import { BUNDLE_V01_MEDIA_TYPE, type Bundle, envelopeFromJSON } from '@sigstore/bundle';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import { z } from 'zod';

/** Annotations of a layer: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md, "Storage". */
const SIGNATURE = 'dev.cosignproject.cosign/signature';
const CERTIFICATE = 'dev.sigstore.cosign/certificate';
const LOG_ENTRY = 'dev.sigstore.cosign/bundle';
const TIMESTAMP = 'dev.sigstore.cosign/rfc3161timestamp';

type Annotations = Readonly<Record<string, string>>;
type Material = Bundle['verificationMaterial'];

const LogEntry = z.object({
  SignedEntryTimestamp: z.base64(),
  Payload: z.object({
    body: z.base64(),
    integratedTime: z.number().int().positive(),
    logIndex: z.number().int().nonnegative(),
    logID: z.string().regex(/^[0-9a-f]{64}$/),
  }),
});
const Timestamp = z.object({ SignedRFC3161Timestamp: z.base64() });
const EntryBody = z.object({ kind: z.string(), apiVersion: z.string() });

/** The signature of a layer's bytes, with what its annotations hold to verify it. @throws Error what cannot be read */
export function bundleOfPayload(payload: Uint8Array, annotations: Annotations): Bundle {
  const signature = z.base64().min(1).safeParse(annotations[SIGNATURE]);
  if (!signature.success) throw new Error(`it has no signature in its annotation ${SIGNATURE}`);
  const digest = createHash('sha256').update(payload).digest();
  return {
    mediaType: BUNDLE_V01_MEDIA_TYPE,
    verificationMaterial: materialOf(annotations),
    content: {
      $case: 'messageSignature',
      messageSignature: {
        messageDigest: { algorithm: HashAlgorithm.SHA2_256, digest },
        signature: Buffer.from(signature.data, 'base64'),
      },
    },
  };
}

const Envelope = z.object({
  payloadType: z.string(),
  payload: z.base64().min(1),
  signatures: z.tuple([z.object({ keyid: z.string().optional(), sig: z.base64().min(1) })]),
});

/** The envelope that a layer holds. @throws Error what cannot be read */
export function bundleOfEnvelope(document: unknown, annotations: Annotations): Bundle {
  const envelope = Envelope.safeParse(document);
  if (!envelope.success) throw new Error('it is no envelope with one signature');
  return {
    mediaType: BUNDLE_V01_MEDIA_TYPE,
    verificationMaterial: materialOf(annotations),
    content: { $case: 'dsseEnvelope', dsseEnvelope: envelopeFromJSON(envelope.data) },
  };
}

function materialOf(annotations: Annotations): Material {
  const certificate = annotations[CERTIFICATE];
  const timestamp = jsonOf(Timestamp, annotations, TIMESTAMP);
  return {
    content:
      certificate === undefined || certificate === ''
        ? { $case: 'publicKey', publicKey: { hint: '' } }
        : { $case: 'certificate', certificate: { rawBytes: certificateOf(certificate) } },
    tlogEntries: entriesOf(annotations),
    timestampVerificationData: {
      rfc3161Timestamps:
        timestamp === undefined
          ? []
          : [{ signedTimestamp: Buffer.from(timestamp.SignedRFC3161Timestamp, 'base64') }],
    },
  };
}

function certificateOf(pem: string): Buffer {
  try {
    return new X509Certificate(pem).raw;
  } catch {
    throw new Error(`its annotation ${CERTIFICATE} is no certificate`);
  }
}

function entriesOf(annotations: Annotations): Material['tlogEntries'] {
  const entry = jsonOf(LogEntry, annotations, LOG_ENTRY);
  if (entry === undefined) return [];
  const { body, integratedTime, logIndex, logID } = entry.Payload;
  const canonicalizedBody = Buffer.from(body, 'base64');
  const { kind, apiVersion } = parse(EntryBody, canonicalizedBody.toString('utf8'), LOG_ENTRY);
  return [
    {
      logIndex: String(logIndex),
      logId: { keyId: Buffer.from(logID, 'hex') },
      kindVersion: { kind, version: apiVersion },
      integratedTime: String(integratedTime),
      inclusionPromise: { signedEntryTimestamp: Buffer.from(entry.SignedEntryTimestamp, 'base64') },
      inclusionProof: undefined,
      canonicalizedBody,
    },
  ];
}

function jsonOf<T>(schema: z.ZodType<T>, annotations: Annotations, name: string): T | undefined {
  const text = annotations[name];
  return text === undefined || text === '' || text === 'null' ? undefined : parse(schema, text, name);
}

function parse<T>(schema: z.ZodType<T>, text: string, name: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Error(`its annotation ${name} cannot be read`);
  }
}
