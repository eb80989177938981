import { readFileSync } from 'node:fs';
import { z } from 'zod';

const port = z.number().int().min(1024).max(65535);

/** How machines are made on this computer. */
export const MachineKind = z.enum(['containers', 'qemu']);
export type MachineKind = z.infer<typeof MachineKind>;

/** What the processes of one local data centre must agree on: written by the supervisor, read by storage and cloud. */
export const DataCentre = z.object({
  /** 8 hex digits: stands in the names of the Docker network, the machines and our engine's folders. */
  id: z.string().regex(/^[0-9a-f]{8}$/),
  /** Absolute; `.berth` of the checkout. Holds storage/, cloud/, ca/, engine/ and the files of the supervisor. */
  directory: z.string().startsWith('/'),
  /** Address that this computer and the machines both reach: the gateway of the machines' network. */
  gateway: z.ipv4(),
  /** Of the machines' Docker network; also the address space of the ARM virtual network. */
  subnet: z.cidrv4(),
  /** Name of the machines' Docker network. */
  network: z.string(),
  /** What machines are: systemd hosts in containers (where absent), or virtual machines of QEMU. */
  machines: MachineKind.optional(),
  /** Path of the Docker engine's socket. */
  engineSocket: z.string(),
  /** Chosen once, since image references hold the app's. */
  ports: z.object({
    blob: port,
    queue: port,
    table: port,
    /** https: ARM. */
    arm: port,
    /** https: OpenID configuration and keys of the token authority. */
    authority: port,
    /** http on 127.0.0.1: the App Service managed-identity endpoint. */
    identity: port,
    /** http on the gateway: the machines' metadata service, which they reach as 169.254.169.254. */
    metadata: port,
    /** AMQP over TLS. */
    serviceBus: port,
    /** https on the gateway and on 127.0.0.1: the app. */
    app: port,
  }),
  subscription: z.uuid(),
  tenant: z.uuid(),
  /** The app's user-assigned identity. */
  identity: z.object({ clientId: z.uuid(), principalId: z.uuid(), header: z.string().min(32) }),
  storageAccount: z.string().regex(/^[a-z0-9]{3,24}$/),
  resourceGroup: z.string(),
  location: z.string(),
});
export type DataCentre = z.infer<typeof DataCentre>;

/** A server of ours that runs until it is closed. */
export interface Running {
  close(): Promise<void>;
}

export const readDataCentre = (file: string): DataCentre =>
  DataCentre.parse(JSON.parse(readFileSync(file, 'utf8')));

/** Issuer of every token; Azurite wants this beginning. */
export const issuerOf = (dataCentre: Pick<DataCentre, 'tenant'>): string =>
  `https://sts.windows.net/${dataCentre.tenant}/`;

/** Base address of the OpenID authority. */
export const authorityOf = (dataCentre: Pick<DataCentre, 'gateway' | 'ports' | 'tenant'>): string =>
  `https://${dataCentre.gateway}:${dataCentre.ports.authority}/${dataCentre.tenant}`;
