import { type AddressInfo, createServer } from 'node:net';
import type { DataCentre } from '../../infra/local/data-centre.ts';

/** Ports of 127.0.0.1 that nobody has now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  for (const server of servers) await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) await new Promise((done) => server.close(done));
  return ports;
}

/** A data centre on 127.0.0.1 of which a test starts the parts that it names ports for. */
export function testDataCentre(directory: string, ports: Partial<DataCentre['ports']>): DataCentre {
  const unused = {
    blob: 1024,
    queue: 1024,
    table: 1024,
    arm: 1024,
    authority: 1024,
    identity: 1024,
    metadata: 1024,
    serviceBus: 1024,
    app: 1024,
  };
  return {
    id: '0badcafe',
    directory,
    gateway: '127.0.0.1',
    subnet: '10.20.0.0/16',
    network: 'none',
    engineSocket: '/none',
    ports: { ...unused, ...ports },
    subscription: '11111111-1111-4111-8111-111111111111',
    tenant: '22222222-2222-4222-8222-222222222222',
    identity: {
      clientId: '33333333-3333-4333-8333-333333333333',
      principalId: '44444444-4444-4444-8444-444444444444',
      header: 'a-secret-of-at-least-thirty-two-characters',
    },
    storageAccount: 'account',
    resourceGroup: 'g',
    location: 'westeurope',
  };
}
