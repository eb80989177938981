import { describe, expect, test } from 'vitest';
import { parseManifest } from '../../../shared/registry/manifest.ts';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const digest = (character: string) => `sha256:${character.repeat(64)}`;
const descriptor = (character: string, mediaType = 'application/octet-stream') => ({
  mediaType,
  digest: digest(character),
  size: 1,
});
const image = {
  schemaVersion: 2,
  config: descriptor('a', 'application/vnd.test.config'),
  layers: [descriptor('b')],
};
const parse = (document: unknown, type?: string) =>
  parseManifest(
    new TextEncoder().encode(typeof document === 'string' ? document : JSON.stringify(document)),
    type,
  );

describe('a manifest', () => {
  test('names its config and layers, and those layers that may lie elsewhere are not asked for', () => {
    const foreign = descriptor('c', 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip');
    const facts = parse({ ...image, layers: [...image.layers, foreign] }, OCI);
    expect(facts.blobs.map((blob) => blob.digest)).toEqual([digest('a'), digest('b')]);
    expect(facts).toMatchObject({
      mediaType: OCI,
      manifests: [],
      artifactType: 'application/vnd.test.config',
    });
  });
  test('says what kind of artifact it is', () => {
    expect(parse({ ...image, artifactType: 'application/vnd.test' }, OCI).artifactType).toBe(
      'application/vnd.test',
    );
    expect(parse({ schemaVersion: 2, manifests: [] }, INDEX).artifactType).toBeUndefined();
  });
  test('has the media type of the request, or of the document where the request says none', () => {
    expect(parse({ ...image, mediaType: OCI }).mediaType).toBe(OCI);
    expect(parse(image, `${OCI}; charset=utf-8`).mediaType).toBe(OCI);
  });
  test.each([
    ['no JSON', 'blablabla', OCI, /no JSON/],
    ['another media type than it says', { ...image, mediaType: INDEX }, OCI, /says its media type/],
    ['no media type', image, undefined, /\(none\)/],
    ['one that is no manifest', image, 'application/json', /is no manifest/],
    ['schema 1', { ...image, schemaVersion: 1 }, OCI, /schemaVersion/],
    ['no config', { ...image, config: undefined }, OCI, /config/],
    [
      'a bad digest',
      { ...image, config: { ...image.config, digest: 'x' } },
      OCI,
      /config\.digest: expected sha256/,
    ],
    ['an image that is an index too', { ...image, manifests: [] }, OCI, /no "manifests"/],
    ['an index that is an image too', { ...image, manifests: [] }, INDEX, /no "config"/],
  ])('with %s is refused', (_, document, type, message) => {
    expect(() => parse(document, type)).toThrow(message);
  });
});

describe('a manifest of millions of wrong parts', () => {
  const many = (part: string) => `[${`${part},`.repeat(4_000_000 / (part.length + 1))}${part}]`;
  test.each([
    ['layers', `{"schemaVersion":2,"config":${JSON.stringify(image.config)},"layers":${many('1')}}`, OCI],
    ['manifests', `{"schemaVersion":2,"manifests":${many('{}')}}`, INDEX],
    [
      'annotations',
      `{"schemaVersion":2,"manifests":[],"annotations":{${Array.from({ length: 300_000 }, (_, at) => `"${at}":1`)}}}`,
      INDEX,
    ],
  ])('%s: the first is told, in a few words', (what, document, type) => {
    const refusal = () => parse(document, type);
    expect(refusal).toThrow(new RegExp(`^${what}\\.0.*: `));
    expect(refusal).toThrow(/^.{1,300}$/s);
  });
});
