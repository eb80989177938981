import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { hasProgram, isRoot, run } from './tool.ts';

/** Clients of registries, and how a computer without them comes by them. */
const sources = {
  crane: { module: 'github.com/google/go-containerregistry/cmd/crane', version: 'v0.22.1' },
  oras: { module: 'oras.land/oras/cmd/oras', version: 'v1.3.6' },
  skopeo: { package: 'skopeo' },
  podman: { package: 'podman' },
  buildah: { package: 'buildah' },
  containerd: { package: 'containerd' },
  dockerd: { package: 'docker.io' },
} as const;
export type ClientName = keyof typeof sources;

/** Where the program is, or why it is not there. */
export type ClientProgram = { readonly path: string } | { readonly missing: string };

/**
 * The program on this computer; else built with Go at a pinned version, kept in node_modules/.cache; else, on Debian as
 * root, from its package.
 */
export async function clientProgram(name: ClientName): Promise<ClientProgram> {
  if (hasProgram(name)) return { path: name };
  const source = sources[name];
  const failed = (error: unknown) => ({ missing: `${name} could not be installed: ${reasonOf(error)}` });
  if ('module' in source) {
    const folder = resolve('node_modules/.cache/registry-clients', `${name}-${source.version}`);
    const path = join(folder, name);
    if (existsSync(path)) return { path };
    if (!hasProgram('go')) return { missing: `there is neither ${name} nor Go` };
    await mkdir(folder, { recursive: true });
    const built = run('go', ['install', `${source.module}@${source.version}`], { GOBIN: folder });
    return built.then(() => ({ path }), failed);
  }
  if (!isRoot || !hasProgram('apt-get')) return { missing: `there is no ${name}` };
  const options = ['install', '--yes', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];
  const installed = run('apt-get', [...options, source.package], { DEBIAN_FRONTEND: 'noninteractive' });
  return installed.then(() => ({ path: name }), failed);
}

const reasonOf = (error: unknown): string => String(error).split('\n').slice(0, 2).join(' ');
