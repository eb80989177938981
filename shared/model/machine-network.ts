import { z } from 'zod';

/** How packets between the containers of two machines are encrypted on this one. */
export const EncryptionMeans = z.enum([
  /** WireGuard of the kernel. */
  'kernel',
  /** The program wireguard-go, since the kernel has no WireGuard. */
  'wireguard-go',
  /** Neither: containers of this machine reach none on others. */
  'none',
]);
export type EncryptionMeans = z.infer<typeof EncryptionMeans>;

/** A WireGuard public key: 32 bytes in base64. */
export const WireGuardKey = z.string().regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/);

/** A machine's part in the containers' network. Absent from a machine's record: its containers have no part in it. */
export const MachineNetwork = z.object({
  /** Its place in the containers' range; no other machine has it. */
  number: z.number().int().positive(),
  /** CIDR of all of its containers that are in environments' networks. */
  subnet: z.string(),
  /** Where its containers ask for names. */
  resolver: z.string(),
  means: EncryptionMeans,
  publicKey: WireGuardKey.optional(),
  /** Why there is no WireGuard. */
  reason: z.string().optional(),
});
export type MachineNetwork = z.infer<typeof MachineNetwork>;
