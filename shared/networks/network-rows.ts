import { z } from 'zod';
import { MachineName } from '../model/names.ts';
import { type Documents, documents } from '../state/documents.ts';
import type { Tables } from '../state/tables.ts';
import { Numbers } from './numbers.ts';
import { type NamesDocument, PeersDocument } from './protocol.ts';

/** What machines were told, and which of them still have to be. */
const told = { version: z.number().int(), behind: z.array(MachineName) };

export const PeersRow = z.object({ ...told, peers: PeersDocument.shape.peers });
export type PeersRow = z.infer<typeof PeersRow>;

export const EnvironmentRow = z.object({
  ...told,
  environment: z.string(),
  number: z.number().int().positive(),
  /** As in the document of names. */
  services: z.record(z.string(), z.array(z.string())),
  /** Where the environment has a network. */
  machines: z.array(MachineName),
});
export type EnvironmentRow = z.infer<typeof EnvironmentRow>;

/** Rows of table `networks`. */
export interface NetworkRows {
  readonly numbers: Documents<Numbers>;
  readonly peers: Documents<PeersRow>;
  readonly environments: Documents<EnvironmentRow>;
}

export const networkRows = (tables: Tables): NetworkRows => ({
  numbers: documents(tables, 'networks', Numbers),
  peers: documents(tables, 'networks', PeersRow),
  environments: documents(tables, 'networks', EnvironmentRow),
});

export const ENVIRONMENTS = 'environments';
export const PEERS = ['peers', 'peers'] as const;
export const MACHINE_NUMBERS = ['numbers', 'machines'] as const;
export const ENVIRONMENT_NUMBERS = ['numbers', 'environments'] as const;

export const noPeers: PeersRow = { version: 0, behind: [], peers: [] };

export const peersDocument = ({ version, peers }: PeersRow): PeersDocument => ({
  document: 'peers',
  version,
  peers,
});

export const namesDocument = ({ version, environment, number, services }: EnvironmentRow): NamesDocument => ({
  document: 'names',
  version,
  environment,
  number,
  services,
});
