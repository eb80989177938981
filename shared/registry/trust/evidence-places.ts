import { Digest, Tag } from '../../model/image.ts';

/** The tags under which cosign 2 puts an image's signatures and attestations; digests of SHA-512 are too long for one. */
export function evidenceTags(subject: Digest): readonly Tag[] {
  const name = subject.replace(':', '-');
  return ['sig', 'att'].flatMap((suffix) => Tag.safeParse(`${name}.${suffix}`).data ?? []);
}

/** The digest that a tag of cosign's is about; undefined for every other tag. */
export function subjectOfTag(tag: Tag): Digest | undefined {
  const match = /^sha256-([0-9a-f]{64})\.(sig|att)$/.exec(tag);
  return match?.[1] === undefined ? undefined : Digest.parse(`sha256:${match[1]}`);
}

/** Artifact types of what is pushed as a referrer: by cosign in its ways over time, and by others as a bundle. */
export const isEvidenceType = (artifactType: string | undefined): boolean =>
  artifactType !== undefined &&
  (artifactType.startsWith('application/vnd.dev.sigstore.bundle') ||
    artifactType.startsWith('application/vnd.dev.cosign.artifact.') ||
    artifactType === 'application/vnd.in-toto+json');
