import type { z } from 'zod';
import { type ConfigSpec, type ConfigUse, configTarget, type SecretUse, secretTarget } from './files.ts';
import type { RolloutPolicy } from './rollout-policy.ts';
import { namedVolumes, type VolumeSpec, type VolumeUse } from './volume.ts';

interface Container {
  readonly configs?: readonly ConfigUse[] | undefined;
  readonly secrets?: readonly SecretUse[] | undefined;
  readonly volumes?: readonly VolumeUse[] | undefined;
  readonly tmpfs?: readonly { readonly target: string }[] | undefined;
  readonly environment?: Readonly<Record<string, string>>;
}

interface Application {
  readonly services: Readonly<
    Record<
      string,
      Container & {
        readonly sidecars?: Readonly<Record<string, Container>> | undefined;
        readonly rollout?: RolloutPolicy | undefined;
      }
    >
  >;
  readonly jobs: Readonly<Record<string, Container>>;
  readonly configs: Readonly<Record<string, ConfigSpec>>;
  readonly volumes: Readonly<Record<string, z.infer<typeof VolumeSpec>>>;
}

/** That containers name configs and volumes which the application has, and nothing is mounted at one path twice. */
export function checkContents(application: Application, context: z.RefinementCtx): void {
  const check = (container: Container, path: readonly string[]) => {
    const refuse = (key: string, index: number, message: string) =>
      context.addIssue({ code: 'custom', path: [...path, key, index], message });
    for (const [index, { config }] of (container.configs ?? []).entries())
      if (!Object.hasOwn(application.configs, config))
        refuse('configs', index, `expected one of the application's configs${listed(application.configs)}`);
    for (const [index, use] of (container.volumes ?? []).entries())
      if (use.type === 'volume' && !Object.hasOwn(application.volumes, use.source))
        refuse('volumes', index, `expected one of the application's volumes${listed(application.volumes)}`);
    for (const [index, { env }] of (container.secrets ?? []).entries())
      if (env !== undefined && Object.hasOwn(container.environment ?? {}, env))
        refuse(
          'secrets',
          index,
          `the environment says ${env} already: expected another variable for the path`,
        );
    const taken = new Map<string, string>();
    for (const { key, index, target } of targetsOf(container)) {
      const other = taken.get(target);
      if (other === undefined) taken.set(target, `${key}.${index}`);
      else refuse(key, index, `expected another target than ${target}, which ${other} has`);
    }
  };
  for (const [name, service] of Object.entries(application.services)) {
    check(service, ['services', name]);
    const { rollout } = service;
    const isAlone = rollout?.strategy === 'rolling' && isNone(rollout.surge);
    const containers = [service, ...Object.values(service.sidecars ?? {})];
    if (
      rollout !== undefined &&
      !isAlone &&
      containers.some(({ volumes }) => namedVolumes(volumes).length > 0)
    )
      context.addIssue({
        code: 'custom',
        path: ['services', name, 'rollout'],
        message:
          'a volume has one writer, so its old replica ends before a new one starts: expected strategy rolling with surge 0 and unavailable of at least 1, or no rollout',
      });
    for (const [sidecar, container] of Object.entries(service.sidecars ?? {}))
      check(container, ['services', name, 'sidecars', sidecar]);
  }
  for (const [name, job] of Object.entries(application.jobs)) check(job, ['jobs', name]);
}

const isNone = (surge: RolloutPolicy['surge']): boolean => surge === 0 || surge === '0%';

const listed = (record: Readonly<Record<string, unknown>>): string => {
  const names = Object.keys(record);
  return names.length === 0 ? ', and it has none' : ` (${names.join(', ')})`;
};

function* targetsOf({ configs, secrets, volumes, tmpfs }: Container) {
  const paths = {
    configs: (configs ?? []).map(configTarget),
    secrets: (secrets ?? []).map(secretTarget),
    volumes: (volumes ?? []).map(({ target }) => target),
    tmpfs: (tmpfs ?? []).map(({ target }) => target),
  };
  for (const [key, targets] of Object.entries(paths))
    for (const [index, target] of targets.entries())
      yield {
        key,
        index,
        target: `/${target
          .split('/')
          .filter((part) => part !== '' && part !== '.')
          .join('/')}`,
      };
}
