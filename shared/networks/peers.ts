import type { Machine } from '../model/machine.ts';
import { type PeersDocument, WIREGUARD_PORT } from './protocol.ts';

/** Every machine that can be sent encrypted packets, sorted. One that is silent keeps its place: it may come back. */
export const peersOf = (machines: readonly Machine[]): PeersDocument['peers'] =>
  machines
    .flatMap(({ name, address, network, status }) =>
      address === undefined || network?.publicKey === undefined || GONE.has(status.state)
        ? []
        : [
            {
              machine: name,
              publicKey: network.publicKey,
              endpoint: `${address}:${WIREGUARD_PORT}`,
              subnet: network.subnet,
            },
          ],
    )
    .sort((a, b) => (a.machine < b.machine ? -1 : 1));

const GONE: ReadonlySet<Machine['status']['state']> = new Set(['failed', 'retiring']);
