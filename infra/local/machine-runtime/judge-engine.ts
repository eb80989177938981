import { availableParallelism } from 'node:os';
import { z } from 'zod';
import type { HostEngine } from './engine.ts';
import type { EngineApi } from './engine-api.ts';

const Version = z.object({
  Version: z.string(),
  ApiVersion: z.string(),
  Components: z.array(z.object({ Name: z.string() })).default([]),
});

const Info = z.object({
  OSType: z.string(),
  OperatingSystem: z.string(),
  SecurityOptions: z
    .array(z.string())
    .nullish()
    .transform((options) => options ?? []),
  NCPU: z.number(),
});

/** The engine if it can carry machines, else why it cannot and what to do. */
export async function judgeEngine(api: EngineApi): Promise<HostEngine | string> {
  let version: z.infer<typeof Version>;
  let info: z.infer<typeof Info>;
  try {
    version = await api.json(Version, 'GET', '/version');
    info = await api.json(Info, 'GET', '/info');
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (text.includes('EACCES'))
      return 'you may not use it: add yourself to the group docker (sudo usermod -aG docker $USER) and log in again';
    return text;
  }
  const obstacle = whyNotUsable(version, info);
  return (
    obstacle ?? {
      api,
      socket: api.socket,
      own: false,
      name: `Docker ${version.Version}`,
      cores: Math.min(info.NCPU, availableParallelism()),
    }
  );
}

/** Pure: why this engine cannot carry machines, from what it says of itself. */
export function whyNotUsable(
  version: z.input<typeof Version>,
  info: z.input<typeof Info>,
): string | undefined {
  const security = info.SecurityOptions ?? [];
  const has = (name: string) =>
    security.some((option) => option === `name=${name}` || option.startsWith(`name=${name},`));
  if (version.Components?.some(({ Name }) => Name === 'Podman Engine'))
    return 'is Podman; machines need Docker Engine 20.10 or newer';
  if (info.OSType !== 'linux') return `runs ${info.OSType} containers; switch it to Linux containers`;
  if (info.OperatingSystem.includes('Docker Desktop'))
    return 'is Docker Desktop, whose containers are in a virtual machine that this computer cannot address; install Docker Engine (docker.io or docker-ce) beside it';
  if (has('rootless'))
    return 'is rootless, and a machine needs capabilities that it cannot give; start the system’s engine (sudo systemctl start docker) and unset DOCKER_HOST';
  if (has('userns'))
    return 'maps users (userns-remap), and systemd cannot run in such containers; remove userns-remap from its daemon.json';
  const [major = 0, minor = 0] = version.ApiVersion.split('.').map(Number);
  if (major < 1 || (major === 1 && minor < 41))
    return `speaks API ${version.ApiVersion}; machines need 1.41 (Docker 20.10)`;
  return undefined;
}
