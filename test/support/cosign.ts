import { createHash, type KeyObject, sign } from 'node:crypto';
import { type Content, content, descriptor, sha256 } from './oci-image.ts';
import type { TestCertificate, TestSigstore } from './sigstore.ts';

/** Who signs: a key alone, or a certificate of an instance that also keeps the log. */
export type TestSigner =
  | { readonly key: KeyObject }
  | { readonly certificate: TestCertificate; readonly sigstore: TestSigstore; readonly at?: Date };

/** Body of an entry of the transparency log. */
interface Entry {
  readonly kind: string;
  readonly apiVersion: string;
  readonly spec: object;
}

/** One layer of what cosign pushes. */
export interface SignedLayer {
  readonly layer: Content;
  readonly annotations: Record<string, string>;
}

const keyOf = (signer: TestSigner): KeyObject => ('key' in signer ? signer.key : signer.certificate.key);
const hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What cosign 2 signs and pushes of an image: SIGNATURE_SPEC.md. */
export function simpleSigning(digest: string, signer: TestSigner, repository = 'shop/web'): SignedLayer {
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': `registry.test/${repository}` },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
      },
      optional: null,
    }),
  );
  const signature = sign('sha256', payload, keyOf(signer)).toString('base64');
  return {
    layer: content('application/vnd.dev.cosign.simplesigning.v1+json', payload),
    annotations: {
      'dev.cosignproject.cosign/signature': signature,
      ...annotationsOf(signer, {
        apiVersion: '0.0.1',
        kind: 'hashedrekord',
        spec: {
          data: { hash: { algorithm: 'sha256', value: hex(payload) } },
          signature: { content: signature, publicKey: { content: pemOf(signer) } },
        },
      }),
    },
  };
}

/** An attestation as cosign 2 pushes it: an envelope, its certificate and log entry in annotations. */
export function attestation(
  digest: string,
  predicateType: string,
  signer: TestSigner,
  predicate: unknown = { name: 'an example' },
): SignedLayer {
  const envelope = envelopeOf(digest, predicateType, signer, predicate);
  return {
    layer: content('application/vnd.dsse.envelope.v1+json', Buffer.from(JSON.stringify(envelope))),
    annotations: {
      'dev.cosignproject.cosign/signature': '',
      predicateType,
      ...annotationsOf(signer, entryOfEnvelope(envelope, signer)),
    },
  };
}

/** A bundle as cosign 3 pushes it: a statement about the image, in an envelope. */
export function statementBundle(
  digest: string,
  signer: TestSigner,
  predicateType = 'https://sigstore.dev/cosign/sign/v1',
  predicate: unknown = { name: 'an example' },
): SignedLayer {
  const dsseEnvelope = envelopeOf(digest, predicateType, signer, predicate);
  return bundleLayer({ dsseEnvelope }, signer, entryOfEnvelope(dsseEnvelope, signer));
}

/** A bundle with a signature over the manifest itself. */
export function messageBundle(manifest: Uint8Array, signer: TestSigner): SignedLayer {
  const signature = sign('sha256', manifest, keyOf(signer)).toString('base64');
  const digest = Buffer.from(hex(manifest), 'hex').toString('base64');
  return bundleLayer(
    { messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest }, signature } },
    signer,
    {
      apiVersion: '0.0.1',
      kind: 'hashedrekord',
      spec: {
        data: { hash: { algorithm: 'sha256', value: hex(manifest) } },
        signature: { content: signature, publicKey: { content: pemOf(signer) } },
      },
    },
  );
}

interface Envelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly { readonly sig: string }[];
}

function envelopeOf(digest: string, predicateType: string, signer: TestSigner, predicate: unknown): Envelope {
  const payloadType = 'application/vnd.in-toto+json';
  const payload = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'shop/web', digest: { sha256: digest.slice('sha256:'.length) } }],
      predicateType,
      predicate,
    }),
  );
  const signed = Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
    payload,
  ]);
  const sig = sign('sha256', signed, keyOf(signer)).toString('base64');
  return { payloadType, payload: payload.toString('base64'), signatures: [{ sig }] };
}

const entryOfEnvelope = ({ payload, signatures }: Envelope, signer: TestSigner) => ({
  apiVersion: '0.0.1',
  kind: 'dsse',
  spec: {
    payloadHash: { algorithm: 'sha256', value: hex(Buffer.from(payload, 'base64')) },
    signatures: [{ signature: signatures[0]?.sig, verifier: pemOf(signer) }],
  },
});

const pemOf = (signer: TestSigner): string =>
  'key' in signer ? '' : Buffer.from(signer.certificate.pem).toString('base64');

function annotationsOf(signer: TestSigner, entry: unknown): Record<string, string> {
  if ('key' in signer) return {};
  const { body, integratedTime, logIndex, logId, promise } = signer.sigstore.enter(entry, signer.at);
  return {
    'dev.sigstore.cosign/certificate': signer.certificate.pem,
    'dev.sigstore.cosign/chain': '',
    'dev.sigstore.cosign/bundle': JSON.stringify({
      SignedEntryTimestamp: promise.toString('base64'),
      Payload: { body: body.toString('base64'), integratedTime, logIndex, logID: logId.toString('hex') },
    }),
  };
}

function bundleLayer(signed: object, signer: TestSigner, entry: Entry): SignedLayer {
  const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  const bundle = { mediaType, verificationMaterial: materialOf(signer, entry), ...signed };
  return { layer: content(mediaType, Buffer.from(JSON.stringify(bundle))), annotations: {} };
}

function materialOf(signer: TestSigner, entry: Entry): object {
  if ('key' in signer) return { publicKey: { hint: 'a key' }, tlogEntries: [] };
  const { body, integratedTime, logIndex, logId, promise, checkpoint, rootHash } = signer.sigstore.enter(
    entry,
    signer.at,
  );
  return {
    certificate: { rawBytes: signer.certificate.der.toString('base64') },
    tlogEntries: [
      {
        logIndex: String(logIndex),
        logId: { keyId: logId.toString('base64') },
        kindVersion: { kind: entry.kind, version: entry.apiVersion },
        integratedTime: String(integratedTime),
        inclusionPromise: { signedEntryTimestamp: promise.toString('base64') },
        inclusionProof: {
          logIndex: '0',
          rootHash: rootHash.toString('base64'),
          treeSize: '1',
          hashes: [],
          checkpoint: { envelope: checkpoint },
        },
        canonicalizedBody: body.toString('base64'),
      },
    ],
  };
}

/** The manifest that holds such layers, with the blobs to push before it. @param subject the image, where it is a referrer */
export function signatureManifest(
  layers: readonly SignedLayer[],
  { subject, artifactType }: { subject?: Content; artifactType?: string } = {},
): { manifest: Content; blobs: readonly Content[] } {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const config = content(
    subject === undefined ? 'application/vnd.oci.image.config.v1+json' : 'application/vnd.oci.empty.v1+json',
    Buffer.from('{}'),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: descriptor(config),
    layers: layers.map(({ layer, annotations }) => ({ ...descriptor(layer), annotations })),
    ...(subject === undefined ? {} : { subject: descriptor(subject) }),
  };
  return {
    manifest: content(mediaType, Buffer.from(JSON.stringify(manifest))),
    blobs: [config, ...layers.map(({ layer }) => layer)],
  };
}

/** The tag under which cosign 2 puts signatures (`sig`) or attestations (`att`) of a manifest. */
export const cosignTag = (manifest: Uint8Array, suffix: 'sig' | 'att'): string =>
  `${sha256(manifest).replace(':', '-')}.${suffix}`;
