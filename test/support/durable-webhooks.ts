import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';

/** One orchestration that was started. */
export interface Start {
  readonly name: string;
  readonly id: string;
  readonly input: unknown;
}

/** The HTTP side of the Durable Task extension, as far as starting goes: it writes down what is started. */
export interface DurableWebhooks {
  readonly starts: Start[];
  /** A context from which `df.getClient` makes a client of this server. */
  context(functionName: string): InvocationContext;
  close(): Promise<void>;
}

export async function startDurableWebhooks(log: (...words: unknown[]) => void): Promise<DurableWebhooks> {
  const starts: Start[] = [];
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(404).end();
      return;
    }
    const [, name = '', id = ''] = /\/orchestrators\/([^/?]+)\/([^/?]+)/.exec(request.url ?? '') ?? [];
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    starts.push({ name, id, input: text === '' ? undefined : JSON.parse(text) });
    response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify({ id }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const rpcBaseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/runtime/webhooks/durabletask/`;
  return {
    starts,
    context(functionName) {
      const input = df.input.durableClient();
      const context = new InvocationContext({
        functionName,
        invocationId: crypto.randomUUID(),
        options: { extraInputs: [input] },
        logHandler: (level, ...words) => log(level, ...words),
      });
      const none = { id: '' };
      context.extraInputs.set(input, {
        taskHubName: 'test',
        creationUrls: none,
        managementUrls: none,
        baseUrl: rpcBaseUrl,
        rpcBaseUrl,
      });
      return context;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
