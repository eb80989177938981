import type { ServiceSpec } from '../model/application.ts';

/** JSON with sorted keys: equal for equal values, in whatever order they were written. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

export const sameSpec = (a: ServiceSpec, b: ServiceSpec): boolean => canonical(a) === canonical(b);

/**
 * Differs in nothing that a container is made of; the tag counts for nothing, since the digest is compared apart, and
 * neither does how one revision follows another.
 */
export const sameContainers = (a: ServiceSpec, b: ServiceSpec): boolean =>
  sameSpec(containersOnly(a), containersOnly(b));

function containersOnly(spec: ServiceSpec): ServiceSpec {
  const { rollout: _, dependsOn: __, restart: ___, routes: ____, ...rest } = spec;
  return { ...rest, replicas: 0, image: '' };
}
