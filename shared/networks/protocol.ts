import { z } from 'zod';
import { EncryptionMeans, WireGuardKey } from '../model/machine-network.ts';

/**
 * What the app and the script on machines say to each other of the containers' network. The script is Python: these
 * schemas are its contract.
 */

/**
 * POST /api/v1/machines/<name>/network, with the machine's identity token: at each start of the script, and when an
 * answer to a report says so. Answered 204 to a machine that has no part in the network.
 */
export const NetworkRequest = z
  .strictObject({
    means: EncryptionMeans,
    /** Its private half never leaves the machine. */
    publicKey: WireGuardKey.optional(),
    reason: z.string().max(1000).optional(),
  })
  .refine(({ means, publicKey }) => (means === 'none') === (publicKey === undefined), {
    path: ['publicKey'],
    message: 'expected a public key exactly where there is WireGuard',
  });
export type NetworkRequest = z.infer<typeof NetworkRequest>;

/** Every machine of the network, as WireGuard needs it. */
export const PeersDocument = z.strictObject({
  document: z.literal('peers'),
  /** Grows with each change: an older document that arrives late is passed over. */
  version: z.number().int(),
  peers: z.array(
    z.strictObject({
      machine: z.string(),
      publicKey: WireGuardKey,
      /** `address:port`. */
      endpoint: z.string(),
      /** CIDR of its containers. */
      subnet: z.string(),
    }),
  ),
});
export type PeersDocument = z.infer<typeof PeersDocument>;

/** What the names of one environment mean. */
export const NamesDocument = z.strictObject({
  document: z.literal('names'),
  version: z.number().int(),
  environment: z.string(),
  number: z.number().int(),
  /** `<application>.<service>` → addresses of its healthy replicas. */
  services: z.record(z.string(), z.array(z.string())),
});
export type NamesDocument = z.infer<typeof NamesDocument>;

/** POST https://<machine>:2378/, with mutual TLS of the engine CA: answered 204. */
export type NetworkDocument = PeersDocument | NamesDocument;

/** A machine's place in the network. */
export const NetworkPlace = z.strictObject({
  /** CIDR of all containers on all machines. */
  range: z.string(),
  subnet: z.string(),
  resolver: z.string(),
  /** CIDR of the machines themselves, and the first and last of their ports that lead to containers. */
  machines: z.string(),
  publishedPorts: z.tuple([z.number(), z.number()]),
  hostBits: z.number(),
  environments: z.number(),
  environmentMask: z.string(),
  mtu: z.number(),
});
export type NetworkPlace = z.infer<typeof NetworkPlace>;

/** 200 */
export const NetworkAnswer = z.strictObject({
  place: NetworkPlace,
  documents: z.array(z.union([PeersDocument, NamesDocument])),
});
export type NetworkAnswer = z.infer<typeof NetworkAnswer>;

/** UDP port of WireGuard on every machine. */
export const WIREGUARD_PORT = 51_820;
/** Where a machine takes documents. */
export const DOCUMENTS_PORT = 2378;
