import type { RequestListener } from 'node:http';
import { Terminal } from '../../../../shared/model/errors.ts';
import type { Invoke } from '../core/invoke.ts';
import type { LoadedApp } from '../core/load-app.ts';
import { type FunctionMetadata, triggerOf } from '../core/wire.ts';
import { managementPath } from '../durable/client-binding.ts';
import type { HostConfiguration } from '../host-json.ts';
import type { HostLog } from '../log.ts';
import { withinTimeout } from '../triggers/invocation-time.ts';
import { forwarder } from './forward.ts';
import { type Address, listen, type ServerCertificate } from './listeners.ts';
import type { Router } from './router.ts';

export interface HttpParts {
  readonly options: { readonly addresses: readonly Address[]; readonly certificate?: ServerCertificate };
  readonly configuration: HostConfiguration;
  readonly functions: readonly FunctionMetadata[];
  readonly routes: Router;
  readonly app: LoadedApp;
  readonly invoke: Invoke;
  readonly management: RequestListener;
  readonly log: HostLog;
}

/** Milliseconds that answers under way get to end when the host stops. */
const grace = 10_000;

/** Serves the app's HTTP functions. @throws Terminal if the app does not stream HTTP, or a port is taken */
export async function serveHttp({
  options,
  configuration,
  functions,
  routes,
  app,
  invoke,
  management,
  log,
}: HttpParts): Promise<{ addresses: readonly Address[]; close(): Promise<void> }> {
  const first = functions.find((metadata) => triggerOf(metadata).type === 'httpTrigger');
  if (first !== undefined && app.proxy === undefined)
    throw new Terminal({
      code: 'http-not-streamed',
      message: `Function '${first.name}' has an HTTP trigger, but the app does not stream HTTP.`,
      remedy: 'Call app.setup({ enableHttpStream: true }) where the app starts.',
    });
  const { forward, close } = forwarder({
    port: app.proxy?.port ?? 0,
    failed: log.failure,
    async run({ metadata: { name }, trigger }, id, metadata) {
      const inputs = [{ name: trigger, data: { http: {} } }];
      await withinTimeout(name, configuration.functionTimeout, invoke(name, { id, metadata, inputs }));
    },
  });
  const listeners = await listen(options.addresses, options.certificate, (request, response) => {
    const path = pathOf(request.url ?? '/');
    if (path.startsWith(managementPath)) return management(request, response);
    const target = routes(request.method ?? 'GET', path);
    if (target === undefined) response.writeHead(404, { 'content-length': 0 }).end();
    else forward(target, request, response);
  });
  return {
    addresses: listeners.addresses,
    async close() {
      await listeners.close(grace);
      close();
      app.proxy?.close();
    },
  };
}

function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}
