import { type ClientIdentity, type Connection, connect } from '../docker/connection.ts';
import { Retryable } from '../model/errors.ts';
import { DOCUMENTS_PORT } from './protocol.ts';
import type { Receivers } from './receiver.ts';

/** Milliseconds until a machine must have taken a document. */
const PROMPT = 5_000;

/** One connection for each machine, kept open. @param identity the app's client certificate */
export function httpsReceivers(identity: () => Promise<ClientIdentity>): Receivers {
  const connections = new Map<string, { readonly address: string; readonly connection: Connection }>();
  const connectionTo = ({ name, address }: { name: string; address: string }): Connection => {
    const found = connections.get(name);
    if (found?.address === address) return found.connection;
    const connection = connect({ name, address, port: DOCUMENTS_PORT, identity });
    connections.set(name, { address, connection });
    return connection;
  };
  return {
    async tell(machine, document) {
      const call = { method: 'POST', path: '/', body: document, timeout: PROMPT } as const;
      const response = await connectionTo(machine).send(call);
      let said = '';
      for await (const chunk of response) said += chunk;
      if (response.statusCode === 204) return;
      throw new Retryable({
        code: 'network-document-refused',
        message: `Machine ${machine.name} did not take its ${document.document}: ${response.statusCode} ${said}`,
        remedy: 'It is told again within a minute; its unit berth-network.service says more.',
      });
    },
  };
}
