import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, it, test } from 'vitest';
import publicGoodRoot from '../../../../shared/registry/trust/public-good-root.json' with { type: 'json' };
import { TrustRule } from '../../../../shared/registry/trust/trust-rule.ts';
import { TrustedRootDocument } from '../../../../shared/registry/trust/trusted-root.ts';

const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
const publicKey = pem(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey);
const issuer = 'https://accounts.example.com';
const mediaType = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1';
const { tlogs } = publicGoodRoot;

test('a rule asks for a signature in every environment unless it says otherwise', () => {
  expect(TrustRule.parse({ signedBy: [{ publicKey }, { identity: 'a@b.c', issuer }] })).toEqual({
    signedBy: [
      { publicKey, transparencyLog: false },
      { identity: 'a@b.c', issuer },
    ],
    signature: true,
    attestations: [],
  });
});

it.each<[string, unknown, string]>([
  ['no signer', { signedBy: [] }, '>=1'],
  ['a private key', { signedBy: [{ publicKey: '-----BEGIN PRIVATE KEY-----' }] }, 'public key as PEM'],
  [
    'a key that is too short',
    { signedBy: [{ publicKey: pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey) }] },
    'RSA of 2048 bits',
  ],
  [
    'a key for no signatures',
    { signedBy: [{ publicKey: pem(generateKeyPairSync('x25519').publicKey) }] },
    'ECDSA',
  ],
  ['an identity without an issuer', { signedBy: [{ identity: 'a@b.c' }] }, 'issuer'],
  [
    'an identity twice',
    { signedBy: [{ identity: 'a', identityPattern: 'b', issuer }] },
    'either identity or',
  ],
  ['nothing to ask for', { signedBy: [{ publicKey }], signature: false }, 'expected attestations'],
  ['an attestation of no type', { signedBy: [{ publicKey }], attestations: ['bom'] }, 'attestations.0'],
  ['a bad environment', { signedBy: [{ publicKey }], environments: ['Prod env'] }, 'environments.0'],
  ['a key that is unknown', { signedBy: [{ publicKey, key: 1 }] }, 'key'],
  ['a root of another kind', { signedBy: [{ publicKey, trustedRoot: {} }] }, 'trustedRoot'],
  [
    'a log whose key counts for all time',
    {
      signedBy: [
        {
          publicKey,
          trustedRoot: { mediaType, tlogs: [{ publicKey: { ...tlogs[0]?.publicKey, validFor: {} } }] },
        },
      ],
    },
    'start',
  ],
  [
    'an authority without a certificate',
    {
      signedBy: [
        {
          publicKey,
          trustedRoot: { mediaType, certificateAuthorities: [{ certChain: { certificates: [] } }] },
        },
      ],
    },
    'certificates',
  ],
])('%s is refused', (_what, rule, words) => {
  const { error } = TrustRule.safeParse(rule);
  expect(error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')).toContain(
    words,
  );
});

test("the root that the registry has with it is one, and names all that Sigstore's instance needs", () => {
  const root = TrustedRootDocument.parse(publicGoodRoot);
  for (const part of ['tlogs', 'ctlogs', 'certificateAuthorities', 'timestampAuthorities'] as const)
    expect(root[part].length).toBeGreaterThan(0);
});
