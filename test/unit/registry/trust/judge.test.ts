import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { Digest } from '../../../../shared/model/image.ts';
import type { Evidence } from '../../../../shared/registry/trust/evidence.ts';
import { judge } from '../../../../shared/registry/trust/judge.ts';
import { evidenceForms, readEvidence } from '../../../../shared/registry/trust/read-evidence.ts';
import { TrustRule } from '../../../../shared/registry/trust/trust-rule.ts';
import {
  attestation,
  messageBundle,
  type SignedLayer,
  simpleSigning,
  statementBundle,
  type TestSigner,
} from '../../../support/cosign.ts';
import { testImage } from '../../../support/oci-image.ts';
import { type TestSigstore, testSigstore } from '../../../support/sigstore.ts';

const image = testImage([Buffer.from('a layer')]).manifest;
const digest = Digest.parse(image.digest);
const other = testImage([Buffer.from('another layer')]).manifest;
const subject = { digest, manifest: image.bytes };
const identity = 'https://ci.example.com/shop/web/build@main';
const issuer = 'https://ci.example.com';
const SBOM = 'https://spdx.dev/Document/v2.3';
const PROVENANCE = 'https://slsa.dev/provenance/v1';

const pair = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const pemOf = ({ publicKey }: ReturnType<typeof pair>) =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString();
const key = pair();
const stranger = pair();

let sigstore: TestSigstore;
let keyless: TestSigner;
beforeAll(async () => {
  sigstore = await testSigstore();
  keyless = { sigstore, certificate: await sigstore.certificate({ identity, issuer }) };
});

const read = ({ layer, annotations }: SignedLayer): Evidence => {
  const form = evidenceForms[layer.mediaType];
  if (form === undefined) throw new Error(layer.mediaType);
  const at = Digest.parse(layer.digest);
  return readEvidence({ form, manifest: at, layer: at, tag: undefined }, layer.bytes, annotations, subject);
};
const byKey = { publicKey: pemOf(key) };
const byIdentity = () => ({ identity, issuer, trustedRoot: sigstore.trustedRoot });
const verdict = (rule: object, ...layers: SignedLayer[]) =>
  judge([TrustRule.parse(rule)], digest, { evidence: layers.map(read), unread: [] }).verdict;
const accepted = { verdict: 'accepted' };
const because = (reason: string) => ({ verdict: 'refused', reasons: [expect.stringContaining(reason)] });

/** Every form in which an image is signed. */
const forms: Record<string, (signer: TestSigner) => SignedLayer> = {
  'cosign signature': (signer) => simpleSigning(digest, signer),
  'bundle with a statement': (signer) => statementBundle(digest, signer),
  'bundle over the manifest': (signer) => messageBundle(image.bytes, signer),
};

describe.each(Object.entries(forms))('a %s', (_name, make) => {
  it('counts by its key, and by no other', () => {
    expect(verdict({ signedBy: [byKey] }, make({ key: key.privateKey }))).toEqual(accepted);
    expect(verdict({ signedBy: [byKey] }, make({ key: stranger.privateKey }))).toMatchObject(
      because('the signature is not by this key'),
    );
    expect(
      verdict({ signedBy: [{ publicKey: pemOf(stranger) }, byKey] }, make({ key: key.privateKey })),
    ).toEqual(accepted);
  });

  it('counts by its identity, exact or by pattern, and by no other', () => {
    const layer = make(keyless);
    expect(verdict({ signedBy: [byIdentity()] }, layer)).toEqual(accepted);
    const { identity: _, ...rest } = byIdentity();
    expect(
      verdict({ signedBy: [{ ...rest, identityPattern: 'https://ci.example.com/shop/*/build@*' }] }, layer),
    ).toEqual(accepted);
    for (const change of [
      { identity: `${identity}x` },
      { identity: identity.slice(1) },
      { issuer: 'https://ci.example.com/other' },
    ])
      expect(verdict({ signedBy: [{ ...byIdentity(), ...change }] }, layer)).toMatchObject(
        because(`its certificate is of ${identity}, by issuer ${issuer}`),
      );
    expect(
      verdict({ signedBy: [{ ...rest, identityPattern: 'https://ci.example.com/*' }] }, layer),
    ).toMatchObject({ verdict: 'refused' });
  });

  it('does not count with a certificate of another authority', async () => {
    const elsewhere = await testSigstore();
    const certificate = await elsewhere.certificate({ identity, issuer });
    expect(verdict({ signedBy: [byIdentity()] }, make({ sigstore: elsewhere, certificate }))).toMatchObject({
      verdict: 'refused',
    });
    // Its own authority, but a log that nobody knows.
    const { certificateAuthorities, ctlogs } = elsewhere.trustedRoot;
    const trustedRoot = { ...sigstore.trustedRoot, certificateAuthorities, ctlogs };
    expect(
      verdict({ signedBy: [{ ...byIdentity(), trustedRoot }] }, make({ sigstore: elsewhere, certificate })),
    ).toMatchObject({ verdict: 'refused' });
  });

  it.each([
    ['that is not for signing code', { usage: '1.3.6.1.5.5.7.3.1' }, 'not for signing code'],
    ['that no certificate log knows', { logged: false }, 'expected 1 SCTs, got 0'],
  ])('does not count with a certificate %s', async (_what, of, reason) => {
    const certificate = await sigstore.certificate({ identity, issuer, ...of });
    expect(verdict({ signedBy: [byIdentity()] }, make({ sigstore, certificate }))).toMatchObject(
      because(reason),
    );
  });

  it('does not count when it was entered in the log after its certificate ended', async () => {
    const certificate = await sigstore.certificate({ identity, issuer });
    const at = new Date(Date.now() + 11 * 60_000);
    expect(verdict({ signedBy: [byIdentity()] }, make({ sigstore, certificate, at }))).toMatchObject(
      because('expired at the specified date'),
    );
  });

  it('does not count without a log entry where the log is demanded, of a key too', () => {
    const layer = make({ key: key.privateKey });
    expect(
      verdict({ signedBy: [{ ...byKey, transparencyLog: true, trustedRoot: sigstore.trustedRoot }] }, layer),
    ).toMatchObject(because('expected 1 tlog entries, got 0'));
    expect(verdict({ signedBy: [byIdentity()] }, layer)).toMatchObject(
      because('signed by a key, without a certificate'),
    );
  });
});

describe('what it is about', () => {
  it.each([
    ['cosign signature', (signer: TestSigner) => simpleSigning(other.digest, signer)],
    ['bundle with a statement', (signer: TestSigner) => statementBundle(other.digest, signer)],
    ['bundle over the manifest', (signer: TestSigner) => messageBundle(other.bytes, signer)],
  ])('a %s of another image counts for nothing', (_form, make) => {
    expect(verdict({ signedBy: [byKey] }, make({ key: key.privateKey }))).toMatchObject(
      because(`it is about ${other.digest}`),
    );
  });

  it('nothing found is said so', () => {
    expect(verdict({ signedBy: [byKey] })).toMatchObject(because('none was found'));
  });

  it('every rule must be fulfilled, and what each lacks is told', () => {
    const rules = [{ signedBy: [byKey] }, { signedBy: [byIdentity()] }].map((rule) => TrustRule.parse(rule));
    const evidence = [read(simpleSigning(digest, { key: key.privateKey }))];
    expect(judge(rules, digest, { evidence, unread: ['more'] }).verdict).toMatchObject({
      reasons: [expect.stringContaining(identity), 'more'],
    });
    evidence.push(read(simpleSigning(digest, keyless)));
    expect(judge(rules, digest, { evidence, unread: ['more'] }).verdict).toEqual(accepted);
  });
});

test('a rule is not fulfilled by what another rule asks less of', () => {
  const logged = { ...byKey, transparencyLog: true, trustedRoot: sigstore.trustedRoot };
  const rules = [{ signedBy: [byKey] }, { signedBy: [logged] }].map((rule) => TrustRule.parse(rule));
  for (const order of [rules, rules.toReversed()]) {
    const evidence = [read(simpleSigning(digest, { key: key.privateKey }))];
    expect(judge(order, digest, { evidence, unread: [] }).verdict).toMatchObject(
      because('expected 1 tlog entries'),
    );
  }
});

describe('what is made to take long is not verified at all', () => {
  type Entry = { logIndex: string; inclusionProof: { checkpoint: { envelope: string } } };
  type Json = { verificationMaterial: { tlogEntries: Entry[] } };
  it.each<[string, (json: Json, entry: Entry) => void]>([
    [
      'very many entries',
      ({ verificationMaterial: made }, entry) => {
        made.tlogEntries = Array.from({ length: 20_000 }, (_, index) => ({
          ...entry,
          integratedTime: `${index + 1}`,
        }));
      },
    ],
    [
      'an index of a million digits',
      (_json, entry) => {
        entry.logIndex = '9'.repeat(1_000_000);
      },
    ],
    [
      'a log of a size of 200,000 digits',
      (_json, entry) => {
        const { checkpoint } = entry.inclusionProof;
        checkpoint.envelope = checkpoint.envelope.replace('\n1\n', `\n${'9'.repeat(200_000)}\n`);
      },
    ],
    [
      'a checkpoint of a megabyte',
      (_json, entry) => {
        entry.inclusionProof.checkpoint.envelope += 'x'.repeat(1_000_000);
      },
    ],
  ])('%s', (_what, change) => {
    const whole = statementBundle(digest, keyless);
    const json = JSON.parse(Buffer.from(whole.layer.bytes).toString()) as Json;
    const [entry] = json.verificationMaterial.tlogEntries;
    if (entry === undefined) throw new Error('no entry');
    change(json, entry);
    const layer = { ...whole.layer, bytes: Buffer.from(JSON.stringify(json)) };
    expect(verdict({ signedBy: [byIdentity()] }, { ...whole, layer })).toMatchObject(
      because('more to verify it with than any client makes'),
    );
  });
});

describe('attestations', () => {
  const rule = { signedBy: [byKey], attestations: ['sbom', 'provenance'] };
  const signature = () => simpleSigning(digest, { key: key.privateKey });
  const all = () => [
    signature(),
    attestation(digest, SBOM, { key: key.privateKey }),
    statementBundle(digest, { key: key.privateKey }, PROVENANCE),
  ];

  it('are demanded beside the signature, each in either form', () => {
    expect(verdict(rule, ...all())).toEqual(accepted);
    for (let left = 0; left < 3; left += 1)
      expect(verdict(rule, ...all().filter((_, index) => index !== left))).toMatchObject({
        verdict: 'refused',
      });
  });

  it('suffice where the image itself need not be signed', () => {
    const alone = { ...rule, signature: false };
    expect(verdict(alone, ...all().slice(1))).toEqual(accepted);
    expect(verdict(alone, signature())).toMatchObject({ verdict: 'refused' });
  });

  it('count by their signer, of their image and type, with a predicate', () => {
    const one = { signedBy: [byKey], signature: false, attestations: ['sbom'] };
    const of = (...given: [string, string, TestSigner, unknown?]) => verdict(one, attestation(...given));
    expect(of(digest, 'https://cyclonedx.org/bom', { key: key.privateKey })).toEqual(accepted);
    expect(of(digest, SBOM, { key: stranger.privateKey })).toMatchObject(because('not by this key'));
    expect(of(other.digest, SBOM, { key: key.privateKey })).toMatchObject(because('it is about'));
    expect(of(digest, PROVENANCE, { key: key.privateKey })).toMatchObject({ verdict: 'refused' });
    expect(of(digest, `${SBOM}x`, { key: key.privateKey })).toMatchObject({ verdict: 'refused' });
    expect(of(digest, SBOM, { key: key.privateKey }, {})).toMatchObject(because('its predicate is empty'));
    expect(
      verdict(
        { ...one, attestations: ['https://example.com/scan/v1'] },
        attestation(digest, 'https://example.com/scan/v1', keyless),
      ),
    ).toMatchObject({ verdict: 'refused' });
    expect(
      verdict(
        { ...one, signedBy: [byIdentity()], attestations: ['https://example.com/scan/v1'] },
        attestation(digest, 'https://example.com/scan/v1', keyless),
      ),
    ).toEqual(accepted);
  });

  it('are no signature of the image', () => {
    expect(verdict({ signedBy: [byKey] }, attestation(digest, SBOM, { key: key.privateKey }))).toMatchObject({
      verdict: 'refused',
    });
  });
});

/** Everything in a layer that is evidence: its bytes, and what its annotations hold. */
function tampered({ layer, annotations }: SignedLayer, at: number, mask: number): SignedLayer {
  const texts = [
    ['', layer.bytes] as const,
    ...Object.entries(annotations)
      .filter(([name]) => !/\/chain$|^predicateType$/.test(name))
      .map(([name, text]) => [name, Buffer.from(text)] as const),
  ];
  const all = Buffer.concat(texts.map(([, bytes]) => bytes));
  const place = at % all.length;
  all[place] = (all[place] ?? 0) ^ mask;
  let begin = 0;
  const parts = texts.map(([name, bytes]) => {
    begin += bytes.length;
    return [name, all.subarray(begin - bytes.length, begin)] as const;
  });
  const [, bytes] = parts[0] ?? ['', layer.bytes];
  return {
    layer: { ...layer, bytes },
    annotations: Object.fromEntries(parts.slice(1).map(([name, text]) => [name, text.toString('utf8')])),
  };
}

/** Nothing rests on these: a version, the name of a key, and what a log's signed checkpoint says as well. */
const IDLE = ['mediaType', 'hint', 'rootHash', 'treeSize'];

/** What a reader makes of a document: a flipped bit that changes nothing of it is no tampering. */
const meaning = (evidence: Evidence): string =>
  JSON.stringify(evidence, (name, value: unknown) =>
    IDLE.includes(name)
      ? undefined
      : value instanceof Uint8Array
        ? Buffer.from(value).toString('base64')
        : value,
  );

describe('tampering', () => {
  const cases: [string, () => SignedLayer, () => object][] = [
    [
      'cosign signature by a key',
      () => simpleSigning(digest, { key: key.privateKey }),
      () => ({ signedBy: [byKey] }),
    ],
    [
      'bundle by a key',
      () => statementBundle(digest, { key: key.privateKey }),
      () => ({ signedBy: [byKey] }),
    ],
    ...Object.entries(forms).map(([name, make]): [string, () => SignedLayer, () => object] => [
      `${name}, keyless`,
      () => make(keyless),
      () => ({ signedBy: [byIdentity()] }),
    ]),
    [
      'attestation, keyless',
      () => attestation(digest, SBOM, keyless),
      () => ({ signedBy: [byIdentity()], signature: false, attestations: ['sbom'] }),
    ],
  ];

  it.each(cases)(
    'any bit of a %s that changes what it says makes it count for nothing',
    (_name, make, rule) => {
      const whole = make();
      const untouched = read(whole);
      const rules = [TrustRule.parse(rule())];
      const verdictOf = (evidence: Evidence) =>
        judge(rules, digest, { evidence: [evidence], unread: [] }).verdict;
      expect(verdictOf(untouched)).toEqual(accepted);
      fc.assert(
        fc.property(fc.nat(), fc.integer({ min: 0, max: 7 }), (at, bit) => {
          const evidence = read(tampered(whole, at, 1 << bit));
          if (meaning(evidence) !== meaning(untouched))
            expect(verdictOf(evidence)).toMatchObject({ verdict: 'refused' });
        }),
      );
    },
  );
});
