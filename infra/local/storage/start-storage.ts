import { mkdir } from 'node:fs/promises';
import { createRequire, enableCompileCache } from 'node:module';
import { ensureAccountKey } from './account-key.ts';
import { allowCreateToStageBlocks } from './create-permission.ts';

export interface StorageOptions {
  /** The one address that it listens on. */
  readonly address: string;
  /** 0 for a free one. */
  readonly ports: { readonly blob: number; readonly queue: number; readonly table: number };
  readonly account: string;
  /** Made if it is not there. */
  readonly directory: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Endpoints of the account, path-style: `https://address:port/account`. */
export interface StorageEndpoints {
  readonly blob: string;
  readonly queue: string;
  readonly table: string;
}

/**
 * Turns this process into Azurite: once, and for good. Azurite takes SIGTERM from there on, writes its indexes and lets
 * the process end; if a port is taken it says so and exits with 1.
 */
export async function startStorage(options: StorageOptions): Promise<StorageEndpoints> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const { address, ports } = options;
  // Azurite has no interface for programs that is documented or typed: it is started as its command line would be.
  process.env.AZURITE_ACCOUNTS = `${options.account}:${await ensureAccountKey(options.directory)}`;
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...argumentsOf(options));
  const listening = endpointsAnnounced();
  // Most of its start is compiling its many modules.
  enableCompileCache();
  allowCreateToStageBlocks();
  createRequire(import.meta.url)('azurite/dist/src/azurite.js');
  const bound = await listening;
  const endpoint = (service: keyof typeof ports): string =>
    `https://${address}:${ports[service] || bound.get(service)}/${options.account}`;
  return { blob: endpoint('blob'), queue: endpoint('queue'), table: endpoint('table') };
}

function argumentsOf({ address, ports, directory, certificateFile, keyFile }: StorageOptions): string[] {
  const each = (['blob', 'queue', 'table'] as const).flatMap((service) => [
    `--${service}Host`,
    address,
    `--${service}Port`,
    String(ports[service]),
  ]);
  const flags = ['--silent', '--skipApiVersionCheck', '--disableTelemetry'];
  return [
    ...each,
    '--location',
    directory,
    '--oauth',
    'basic',
    '--cert',
    certificateFile,
    '--key',
    keyFile,
    ...flags,
  ];
}

/** Azurite tells where it listens by console.log only; what it prints is read here and goes no further. */
function endpointsAnnounced(): Promise<ReadonlyMap<string, number>> {
  const bound = new Map<string, number>();
  return new Promise((resolve) => {
    console.log = (line: unknown) => {
      const [, service, port] =
        /^Azurite (\w+) service is successfully listening at .*:(\d+)$/.exec(String(line)) ?? [];
      if (service !== undefined) bound.set(service.toLowerCase(), Number(port));
      if (bound.size === 3) resolve(bound);
    };
  });
}
