import { createServer } from 'node:net';
import { Terminal } from '../../../shared/model/errors.ts';
import type { DataCentre } from '../data-centre.ts';

export type Ports = DataCentre['ports'];

const NAMES = [
  'app',
  'blob',
  'queue',
  'table',
  'arm',
  'authority',
  'identity',
  'metadata',
  'serviceBus',
] as const;
const FIRST = 21400;
const STEP = 20;
const LAST = 29000;

/** Chooses ports that are free on all of these addresses: consecutive, from 21400 on. */
export async function choosePorts(addresses: readonly string[]): Promise<Ports> {
  for (let base = FIRST; base < LAST; base += STEP) {
    const ports = Object.fromEntries(NAMES.map((name, index) => [name, base + index])) as Ports;
    if ((await takenPorts(ports, addresses)).length === 0) return ports;
  }
  throw new Terminal({
    code: 'no-free-ports',
    message: `No ${NAMES.length} ports in a row are free between ${FIRST} and ${LAST} on ${addresses.join(', ')}.`,
    remedy: 'End what listens there; `ss -ltnp` lists it.',
  });
}

/**
 * A data centre keeps its ports, since image references hold the app's.
 * @throws Terminal `port-taken`
 */
export async function checkPorts(ports: Ports, addresses: readonly string[]): Promise<void> {
  const [taken] = await takenPorts(ports, addresses);
  if (taken === undefined) return;
  throw new Terminal({
    code: 'port-taken',
    message: `Port ${taken.port} on ${taken.address}, which this data centre uses for "${taken.name}", is taken by another program.`,
    remedy: `End that program (\`ss -ltnp 'sport = :${taken.port}'\` shows it), or start anew with other ports: npm start -- --reset`,
  });
}

async function takenPorts(ports: Ports, addresses: readonly string[]) {
  const taken: { name: string; port: number; address: string }[] = [];
  for (const name of NAMES)
    for (const address of addresses)
      if (!(await isFree(address, ports[name]))) taken.push({ name, port: ports[name], address });
  return taken;
}

const isFree = (address: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
