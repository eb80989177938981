import type { Bundle } from '@sigstore/bundle';
import type { Digest, Tag } from '../../model/image.ts';

/** Where something was found that says it is a signature or an attestation. */
export interface Origin {
  readonly form: 'cosign signature' | 'cosign attestation' | 'Sigstore bundle';
  /** The manifest, and the layer of it. */
  readonly manifest: Digest;
  readonly layer: Digest;
  /** The tag that led there; absent for what names the image as its subject. */
  readonly tag: Tag | undefined;
}

/** What somebody says by signing. Who it was, and whether it was signed at all, is for verification. */
export type Claim =
  | { readonly kind: 'signature'; readonly digests: readonly string[] }
  | { readonly kind: 'attestation'; readonly predicateType: string; readonly digests: readonly string[] };

/** A document that may be proof. */
export interface Document {
  readonly origin: Origin;
  readonly claim: Claim;
  /** Signature, certificate, entries of logs and timestamps, whatever form they came in. */
  readonly bundle: Bundle;
  /** What the signature is over; absent where the bundle holds an envelope. */
  readonly message: Uint8Array | undefined;
  /** What timestamps are of, if not of the signature. */
  readonly stamped?: Uint8Array;
}

/** Something that cannot even be read as what it says it is. */
export interface Unreadable {
  readonly origin: Origin;
  readonly fault: string;
}

export type Evidence = Document | Unreadable;

/** The image that evidence is about. */
export interface Subject {
  readonly digest: Digest;
  /** Its manifest, byte for byte. */
  readonly manifest: Uint8Array;
}
