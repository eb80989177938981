import { z } from 'zod';
import type { ApplicationSpec } from '../model/application.ts';
import { type ConfigSpec, type ConfigUse, MOST_CONTENT, type SecretUse } from '../model/files.ts';
import { Digest } from '../model/image.ts';
import { Invalid, type Issue } from '../model/invalid.ts';
import type { Documents } from '../state/documents.ts';

/** The content of configs, by its digest: a revision names it, and finds it for as long as it is there. */
export const ConfigContent = z.object({ base64: z.string() });
export type ConfigContents = Documents<z.infer<typeof ConfigContent>>;

const PARTITION = 'config';

export async function contentOf(contents: ConfigContents, digest: Digest): Promise<Uint8Array | undefined> {
  const found = (await contents.get(PARTITION, digest))?.value;
  return found && bytesOf(found.base64);
}

/**
 * The application with the digests of its configs in place of their contents, which are kept. Doing it again changes
 * nothing.
 * @throws Invalid `config-invalid`
 */
export async function keepContents(
  contents: ConfigContents,
  spec: ApplicationSpec,
): Promise<ApplicationSpec> {
  const issues: Issue[] = [];
  const configs: Record<string, ConfigSpec> = {};
  const digests = new Map<string, Digest>();
  for (const [name, config] of Object.entries(spec.configs)) {
    const kept = await keep(contents, config);
    if (typeof kept === 'string' && kept.startsWith('sha256:')) {
      digests.set(name, Digest.parse(kept));
      configs[name] = { digest: Digest.parse(kept) };
    } else issues.push({ path: `configs.${name}`, message: kept });
  }
  if (issues.length > 0)
    throw new Invalid({
      code: 'config-invalid',
      message: issues.map(({ path, message }) => `${path}: ${message}`).join('\n'),
      remedy: 'Mend these configs; `berth deploy` reads those with a file. Nothing was changed.',
      issues,
    });
  if (Object.keys(configs).length === 0 && Object.keys(spec.secrets).length === 0) return spec;
  const resolve = <C extends Container>(container: C): C => resolved(container, digests, spec.secrets);
  return {
    ...spec,
    configs,
    services: mapped(spec.services, (service) => ({
      ...resolve(service),
      ...(service.sidecars && { sidecars: mapped(service.sidecars, resolve) }),
    })),
    jobs: mapped(spec.jobs, resolve),
  };
}

interface Container {
  readonly configs?: ConfigUse[] | undefined;
  readonly secrets?: SecretUse[] | undefined;
}

/** What a container names, by the digest or name that it means. */
function resolved<C extends Container>(
  container: C,
  digests: ReadonlyMap<string, Digest>,
  secrets: ApplicationSpec['secrets'],
): C {
  return {
    ...container,
    ...(container.configs && {
      configs: container.configs.map((use) => ({ ...use, digest: digests.get(use.config) })),
    }),
    ...(container.secrets && {
      secrets: container.secrets.map(({ name: _, ...use }) => {
        const name = secrets[use.secret]?.name;
        return name === undefined ? use : { ...use, name };
      }),
    }),
  };
}

const mapped = <K extends string, V>(record: Record<K, V>, change: (value: V) => V): Record<K, V> =>
  Object.fromEntries(Object.entries<V>(record).map(([name, value]) => [name, change(value)])) as Record<K, V>;

/** @returns its digest, or why it cannot be kept */
async function keep(
  contents: ConfigContents,
  { content, encoding, file, digest }: ConfigSpec,
): Promise<string> {
  if (digest !== undefined)
    return (await contents.get(PARTITION, digest)) === undefined ? `no content ${digest} is known` : digest;
  if (content === undefined)
    return `the file ${file} is read by the berth command alone: expected content where the API or a queue is asked`;
  const bytes = encoding === 'base64' ? bytesOf(content) : new TextEncoder().encode(content);
  if (bytes.length > MOST_CONTENT) return `expected at most ${MOST_CONTENT} bytes, found ${bytes.length}`;
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)));
  const made = Digest.parse(`sha256:${[...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`);
  await contents.upsert(PARTITION, made, { base64: textOf(bytes) });
  return made;
}

const bytesOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

const textOf = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
