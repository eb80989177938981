import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import {
  signatureOverBytes,
  signatureOverEnvelope,
} from '../../../../shared/registry/trust/signature-content.ts';

const bytes = Buffer.from('what is signed');
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const edwards = generateKeyPairSync('ed25519');
const seed = Buffer.from(edwards.privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');

describe('signatures of every kind of key', () => {
  it.each([
    ['ECDSA on P-256', ec('prime256v1'), 'sha256'],
    ['ECDSA on P-384 over SHA-256', ec('secp384r1'), 'sha256'],
    ['ECDSA on P-384 over SHA-384', ec('secp384r1'), 'sha384'],
    ['ECDSA on P-521 over SHA-512', ec('secp521r1'), 'sha512'],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }), 'sha256'],
    ['Ed25519', edwards, null],
  ])('%s', (_kind, { publicKey, privateKey }, hash) => {
    const signature = sign(hash, bytes, privateKey);
    expect(signatureOverBytes(bytes, signature).verifySignature(publicKey)).toBe(true);
    expect(signatureOverBytes(Buffer.from('else'), signature).verifySignature(publicKey)).toBe(false);
    expect(signatureOverBytes(bytes, Buffer.alloc(64)).verifySignature(publicKey)).toBe(false);
    expect(signatureOverBytes(bytes, Buffer.alloc(0)).verifySignature(publicKey)).toBe(false);
  });

  it('Ed25519ph', () => {
    const signature = Buffer.from(ed25519ph.sign(bytes, Uint8Array.from(seed)));
    expect(signatureOverBytes(bytes, signature).verifySignature(edwards.publicKey)).toBe(true);
    expect(signatureOverBytes(Buffer.from('else'), signature).verifySignature(edwards.publicKey)).toBe(false);
  });

  it('not over a hash that is weaker than the key, or of another family', () => {
    const { publicKey, privateKey } = ec('prime256v1');
    for (const hash of ['sha1', 'sha384', 'sha512'])
      expect(signatureOverBytes(bytes, sign(hash, bytes, privateKey)).verifySignature(publicKey)).toBe(false);
  });
});

describe('what logs record', () => {
  const digest = (hash: string, of: Uint8Array) => createHash(hash).update(of).digest();

  it('of a message, its digest', () => {
    const content = signatureOverBytes(bytes, Buffer.of(1));
    for (const hash of ['sha256', 'sha384', 'sha512'])
      expect(content.compareDigest(digest(hash, bytes))).toBe(true);
    expect(content.compareDigest(digest('sha256', Buffer.from('else')))).toBe(false);
    expect(content.compareDigest(Buffer.alloc(0))).toBe(false);
    expect(content.compareSignature(Buffer.of(1))).toBe(true);
    expect(content.compareSignature(Buffer.of(1, 1))).toBe(false);
  });

  it('of an envelope, the digest of its payload, or of all that is signed', () => {
    const envelope = { payloadType: 'a/b', payload: bytes, signatures: [{ sig: Buffer.of(1), keyid: '' }] };
    const content = signatureOverEnvelope(envelope);
    const signed = Buffer.from('DSSEv1 3 a/b 14 what is signed');
    expect(content.compareDigest(digest('sha256', bytes))).toBe(true);
    expect(content.compareSignedDigest(digest('sha256', signed))).toBe(true);
    expect(content.compareSignedDigest(digest('sha256', bytes))).toBe(false);
  });
});
