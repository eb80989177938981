import { subscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';

/**
 * Lets an upload take as long as it takes: the server through which @azure/functions receives streams is a plain one of
 * Node, which ends a request that has not arrived within 300 s with status 408, and the library offers no setting.
 */
subscribe('http.server.request.start', (message) => {
  (message as { server: Server }).server.requestTimeout = 0;
});
