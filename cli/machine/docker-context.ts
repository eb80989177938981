import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { dockerConfigFile } from '../credential-helper/docker-config-file.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { ClientCertificate } from './client-certificate.ts';
import { readIfThere, writeWhole } from './private-file.ts';

/**
 * Docker's store of contexts, as docker/cli's cli/context/store keeps it: `contexts/meta/<id>/meta.json` and
 * `contexts/tls/<id>/docker/{ca,cert,key}.pem`, the id being the SHA-256 of the name. Members of `Metadata` that
 * docker does not know stay as they are.
 */
const Meta = z.object({
  Name: z.string(),
  Metadata: z.object({ Description: z.string().optional(), Berth: z.string().optional() }).optional(),
  Endpoints: z.object({ docker: z.object({ Host: z.string().optional() }).optional() }).optional(),
});

export interface MachineContext {
  /** `berth-<machine>` */
  readonly name: string;
  readonly host: string;
  /** Origin of the API whose machine it is. */
  readonly installation: string;
}

export const contextName = (machine: string): string => `berth-${machine}`;

/** DOCKER_CONFIG or ~/.docker. */
export const dockerFolder = (variables: Readonly<Record<string, string | undefined>>): string =>
  dirname(dockerConfigFile(variables));

/**
 * Writes a context that `docker context use` takes; one of another installation or of somebody else stays.
 * @returns whether it was written
 */
export function writeContext(docker: string, context: MachineContext, tls: ClientCertificate): boolean {
  const { meta } = foldersOf(docker, context.name);
  const found = readMeta(join(meta, 'meta.json'));
  if (found !== undefined && found.Metadata?.Berth !== context.installation) return false;
  writeTls(docker, context.name, tls);
  const machine = context.name.slice(contextName('').length);
  const content = {
    Name: context.name,
    Metadata: {
      Description: `Machine ${machine} of ${context.installation}`,
      Berth: context.installation,
    },
    Endpoints: { docker: { Host: context.host, SkipTLSVerify: false } },
  };
  writeWhole(join(meta, 'meta.json'), JSON.stringify(content), 0o644, 0o755);
  return true;
}

/** Gives every context of the installation the certificate that is now good. */
export function renewContexts(docker: string, installation: string, tls: ClientCertificate): void {
  for (const { name } of contextsOf(docker, installation)) writeTls(docker, name, tls);
}

export function contextsOf(docker: string, installation: string): readonly MachineContext[] {
  const root = join(docker, 'contexts', 'meta');
  return namesIn(root).flatMap((id) => {
    const meta = readMeta(join(root, id, 'meta.json'));
    return meta?.Metadata?.Berth === installation
      ? [{ name: meta.Name, host: meta.Endpoints?.docker?.Host ?? '', installation }]
      : [];
  });
}

/** Removes the context of a machine that is gone, if it is of this installation. @returns whether it was there */
export function removeContext(docker: string, name: string, installation: string): boolean {
  const { meta, tls } = foldersOf(docker, name);
  if (readMeta(join(meta, 'meta.json'))?.Metadata?.Berth !== installation) return false;
  // The list of contexts is that of `meta`: a key must not stay behind without being listed.
  rmSync(tls, { recursive: true, force: true });
  rmSync(meta, { recursive: true, force: true });
  return true;
}

/** The context that docker uses where no variable says another: `docker context use`. */
export function currentContext(docker: string): string | undefined {
  const file = join(docker, 'config.json');
  const text = readIfThere(file);
  if (text === undefined || text.trim() === '') return undefined;
  try {
    return z.object({ currentContext: z.string().optional() }).parse(JSON.parse(text)).currentContext;
  } catch (error) {
    throw new Failure({
      code: 'docker-config-invalid',
      message: `${file} is no configuration of docker: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'Mend it; it was left as it is.',
      exitCode: exitCodes.usage,
    });
  }
}

function writeTls(docker: string, name: string, { ca, cert, key }: ClientCertificate): void {
  const folder = join(foldersOf(docker, name).tls, 'docker');
  for (const [file, text] of Object.entries({ key, ca, cert })) {
    const path = join(folder, `${file}.pem`);
    if (readIfThere(path) !== text) writeWhole(path, text);
  }
}

function foldersOf(docker: string, name: string) {
  const id = createHash('sha256').update(name).digest('hex');
  return { meta: join(docker, 'contexts', 'meta', id), tls: join(docker, 'contexts', 'tls', id) };
}

/** Undefined also where it is none that docker would read: that is docker's and the user's affair. */
function readMeta(file: string): z.infer<typeof Meta> | undefined {
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  try {
    return Meta.parse(JSON.parse(text));
  } catch {
    return { Name: '' };
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
