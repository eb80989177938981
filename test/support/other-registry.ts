import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { type RegistryClient, registryClient } from './registry-client.ts';
import { serveHandler, type TestRegistry, testRegistry } from './registry-server.ts';

/** A registry elsewhere, over HTTP: what it is asked is kept, and a test may answer in its place. */
export interface OtherRegistry {
  readonly registry: TestRegistry;
  /** May do everything there. */
  readonly client: RegistryClient;
  /** `127.0.0.1:<port>`; plain HTTP. */
  readonly host: string;
  /** `<method> <path below /v2/>`, but for tokens. */
  readonly asked: string[];
  fault: ((request: Request) => Response | Promise<Response> | undefined) | undefined;
  close(): Promise<void>;
}

export async function otherRegistry(): Promise<OtherRegistry> {
  const registry = await testRegistry({ blobs: memoryBlobs(), tables: memoryTables() });
  const asked: string[] = [];
  const server = await serveHandler(async (request) => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith('/v2/token')) asked.push(`${request.method} ${pathname.replace(/^\/v2\//, '')}`);
    return (await other.fault?.(request)) ?? direct(await registry.handle(request));
  });
  const other: OtherRegistry = {
    registry,
    client: registryClient(registry.handle, 'admin'),
    host: server.host,
    asked,
    fault: undefined,
    close: server.close,
  };
  return other;
}

/** Memory has no address that others can be sent to: what it holds is answered here. */
async function direct(answer: Response): Promise<Response> {
  const location = answer.headers.get('location') ?? '';
  return location.startsWith('data:') ? fetch(location) : answer;
}
