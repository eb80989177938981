import type { Allowances } from '../model/allowances.ts';
import type { ApplicationSpec } from '../model/application.ts';
import { HARMLESS_CAPABILITIES } from '../model/capability.ts';
import type { ContainerOptions } from '../model/container-options.ts';
import type { SecretUse } from '../model/files.ts';
import type { Issue } from '../model/invalid.ts';
import type { VolumeUse } from '../model/volume.ts';

/** A container that an application describes, and where. */
interface Described extends ContainerOptions {
  readonly volumes?: readonly VolumeUse[] | undefined;
  readonly secrets?: readonly SecretUse[] | undefined;
}

/** Every container of an application, with the path of its description. */
export function* containersOf(
  spec: ApplicationSpec,
): Generator<readonly [path: string, container: Described]> {
  for (const [name, service] of Object.entries(spec.services)) {
    yield [`services.${name}`, service];
    for (const [sidecar, container] of Object.entries(service.sidecars ?? {}))
      yield [`services.${name}.sidecars.${sidecar}`, container];
  }
  for (const [name, job] of Object.entries(spec.jobs)) yield [`jobs.${name}`, job];
}

/** What an application asks for that its environment does not allow. Pure. */
export function forbidden(spec: ApplicationSpec, allowances: Allowances): Issue[] {
  const issues: Issue[] = [];
  for (const [path, container] of containersOf(spec)) {
    if (container.privileged === true && !allowances.privileged)
      issues.push({
        path: `${path}.privileged`,
        message: 'a privileged container is root on its machine, and the environment does not allow any',
      });
    for (const [index, name] of (container.capAdd ?? []).entries())
      if (
        !allowances.privileged &&
        !HARMLESS_CAPABILITIES.has(name) &&
        !allowances.capabilities.includes(name)
      )
        issues.push({
          path: `${path}.capAdd.${index}`,
          message: `the environment does not allow the capability ${name}`,
        });
    for (const [index, use] of (container.volumes ?? []).entries()) {
      const fault = use.type === 'host' ? hostPathFault(use, allowances) : undefined;
      if (fault !== undefined) issues.push({ path: `${path}.volumes.${index}`, message: fault });
    }
  }
  return issues;
}

function hostPathFault(
  { source, readOnly }: Extract<VolumeUse, { type: 'host' }>,
  { hostPaths }: Allowances,
): string | undefined {
  const within = hostPaths.filter(({ path }) => isWithin(source, path));
  if (within.length === 0) {
    const allowed = hostPaths.map(({ path }) => path).join(', ');
    return `the environment does not allow the machine's ${source}: ${allowed === '' ? 'it allows no path of a machine' : `it allows ${allowed}`}`;
  }
  if (readOnly === true || within.some(({ writable }) => writable)) return undefined;
  return `the environment allows the machine's ${source} for reading alone: expected readOnly: true`;
}

function isWithin(path: string, folder: string): boolean {
  const parts = (text: string) => text.split('/').filter((part) => part !== '' && part !== '.');
  const above = parts(folder);
  return above.every((part, index) => parts(path)[index] === part);
}
