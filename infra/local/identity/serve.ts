import { once } from 'node:events';
import type { Server as HttpServer, RequestListener } from 'node:http';
import type { Running } from '../data-centre.ts';
import { sendJson } from './send-json.ts';

/** Starts a server of ours; port 0 for a free one. @throws if the address is taken */
export async function serve(
  server: HttpServer,
  port: number,
  address: string,
): Promise<Running & { readonly port: number }> {
  server.listen(port, address);
  await once(server, 'listening');
  const bound = server.address();
  return {
    port: bound !== null && typeof bound === 'object' ? bound.port : port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A request whose handling fails gets 500, and the others go on. */
export const guarded =
  (listener: (...parameters: Parameters<RequestListener>) => void | Promise<void>): RequestListener =>
  async (request, response) => {
    try {
      await listener(request, response);
    } catch (error) {
      console.error(`${request.method} ${request.url}: ${String(error)}`);
      if (!response.headersSent)
        sendJson(response, 500, {
          error: 'internal_error',
          error_description: 'The request failed; it may be repeated.',
        });
    }
  };
