import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Digest } from '../../../../shared/model/image.ts';
import { judge } from '../../../../shared/registry/trust/judge.ts';
import { readEvidence } from '../../../../shared/registry/trust/read-evidence.ts';
import { TrustRule } from '../../../../shared/registry/trust/trust-rule.ts';

const bundles = new URL('../../../../../shared/reference/oci/sigstore-bundles/', import.meta.url);
const cosign = new URL('../../../../../shared/reference/oci/cosign/', import.meta.url);

/** What the bundles of sigstore-conformance sign: its file a.txt. */
const artifact = Buffer.from(
  'DO NOT MODIFY ME!\n\nthis is "a.txt", a sample input for sigstore-conformance\'s test suite.\n\nDO NOT MODIFY ME!\n',
);
const identityPattern =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/**';
const issuer = 'https://token.actions.githubusercontent.com';
/** The key of its managed-key-happy-path. */
const publicKey = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExRRST79+PsrRBnGAI4cMu6Omz2Jh
fwlMW+gIutNKVRaMyS4rQKvgngc5p8UbLj55pVHhIoAxi/SRgURZI0J3Xw==
-----END PUBLIC KEY-----
`;

const digestOf = (bytes: Uint8Array) =>
  Digest.parse(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);

/** With Sigstore's public-good root, which the registry has with it. */
function verdictOf(document: URL, signer: unknown, manifest = artifact, digest = digestOf(manifest)) {
  const origin = { form: 'Sigstore bundle', manifest: digest, layer: digest, tag: undefined } as const;
  const evidence = readEvidence(origin, readFileSync(document), {}, { digest, manifest });
  const type =
    'claim' in evidence && evidence.claim.kind === 'attestation' ? evidence.claim.predicateType : undefined;
  const rule = TrustRule.parse({
    signedBy: [signer],
    ...(type === undefined ? {} : { signature: false, attestations: [type] }),
  });
  return judge([rule], digest, { evidence: [evidence], unread: [] }).verdict;
}

describe.skipIf(!existsSync(bundles))('bundles of sigstore-conformance', () => {
  const names = existsSync(bundles) ? readdirSync(bundles) : [];

  it.each(names.filter((name) => !name.includes('_fail')))('%s counts', (name) => {
    const signer = name.startsWith('managed-key')
      ? { publicKey, transparencyLog: true }
      : { identityPattern, issuer };
    expect(verdictOf(new URL(name, bundles), signer)).toEqual({ verdict: 'accepted' });
  });

  it.each(names.filter((name) => name.includes('_fail')))('%s does not', (name) => {
    expect(verdictOf(new URL(name, bundles), { identityPattern, issuer })).toMatchObject({
      verdict: 'refused',
    });
  });

  it('none counts for another identity, another issuer or another image', () => {
    for (const name of names.filter((one) => one.startsWith('happy-path'))) {
      const document = new URL(name, bundles);
      expect(verdictOf(document, { identity: 'somebody@example.com', issuer })).toMatchObject({
        reasons: [expect.stringContaining('its certificate is of https://github.com/')],
      });
      expect(verdictOf(document, { identityPattern, issuer: 'https://accounts.example.com' })).toMatchObject({
        verdict: 'refused',
      });
      expect(verdictOf(document, { identityPattern, issuer }, Buffer.from('another'))).toMatchObject({
        reasons: [expect.stringContaining('it is about sha256:')],
      });
    }
  });
});

describe.skipIf(!existsSync(cosign))('an attestation that cosign made', () => {
  const document = new URL('oci-attestation.sigstore.json', cosign);
  const digest = Digest.parse('sha256:732112270d7e59418a8c080b134b24cabd67d250d0d0147a97ed95ba5c280aa4');

  it('counts for who made it, of the image that it names', () => {
    const signer = { identity: 'cody@soyland.com', issuer: 'https://github.com/login/oauth' };
    expect(verdictOf(document, signer, artifact, digest)).toEqual({ verdict: 'accepted' });
    expect(verdictOf(document, signer)).toMatchObject({ verdict: 'refused' });
  });
});
