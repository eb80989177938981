import {
  type ImageReference,
  parseImageReference,
  type RepositoryName,
  type Tag,
} from '../../model/image.ts';
import type { Service } from '../../model/service.ts';
import type { Checks } from './checks.ts';
import { type Source, sourceOf } from './source.ts';

/** A tag that services use, and that is to be asked for anew. */
export interface StaleTag {
  readonly repository: RepositoryName;
  readonly tag: Tag;
}

/** Tags of copies that services use, each once. */
export function mirroredTags(services: readonly Service[], sources: readonly Source[]): readonly StaleTag[] {
  const found = new Map<string, StaleTag>();
  for (const { spec, removing } of services) {
    const { repository, tag, digest }: ImageReference = parseImageReference(spec.image);
    if (removing || tag === undefined || digest !== undefined) continue;
    if (sourceOf(sources, repository) !== undefined) found.set(`${repository}:${tag}`, { repository, tag });
  }
  return [...found.values()];
}

/** Of these tags, those about which upstream was not asked within the freshness of their source. */
export async function staleTags(
  tags: readonly StaleTag[],
  sources: readonly Source[],
  checks: Checks,
  now: Date,
): Promise<readonly StaleTag[]> {
  const asked = await Promise.all(
    tags.map(async (stale) => ({ stale, at: await checks.lastOf(stale.repository, stale.tag) })),
  );
  return asked
    .filter(({ stale, at }) => {
      const freshness = sourceOf(sources, stale.repository)?.freshness ?? 0;
      return at === undefined || now.getTime() - at.getTime() >= freshness * 60_000;
    })
    .map(({ stale }) => stale);
}
