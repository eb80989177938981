import { type Checks, checks } from '../shared/registry/sources/checks.ts';
import { type Mirror, mirror } from '../shared/registry/sources/mirror.ts';
import { mirroredEvidence } from '../shared/registry/sources/mirrored-evidence.ts';
import { type SourceStore, sourceStore } from '../shared/registry/sources/source-store.ts';
import type { EvidenceSource } from '../shared/registry/trust/evidence-source.ts';
import type { Secrets } from '../shared/secrets/secrets.ts';
import type { Tables } from '../shared/state/tables.ts';
import type { RegistryParts } from './registry.ts';

/** What mirrors other registries; one for each process, which joins fetches of the same. */
export interface MirrorServices {
  readonly sources: SourceStore;
  /** When other registries were last asked about tags of copies. */
  readonly checks: Checks;
  readonly mirror: Mirror;
}

export function mirrorServices(tables: Tables, secrets: Secrets, now: () => Date): MirrorServices {
  const sources = sourceStore(tables, secrets, now);
  const asked = checks(tables);
  return { sources, checks: asked, mirror: mirror(sources, asked) };
}

/** That a signature came is heard of by the sweep, as of every push that a crash left. */
export const evidenceOfCopies = (mirror: Mirror, registry: RegistryParts): EvidenceSource =>
  mirroredEvidence(mirror, {
    ...registry,
    onActivity: () => Promise.reject(new Error('left to the sweep')),
    report: () => {},
  });
