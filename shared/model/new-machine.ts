import { z } from 'zod';
import { Cidr, OpenPort, SshKey } from './admission.ts';
import { MachineImage, Priority } from './pool.ts';

/** Host names have at most 63 characters, and a machine's in ARM have a suffix behind the name that the user gave. */
const HandMadeName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/,
    'expected 1 to 40 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen',
  );

/** https://learn.microsoft.com/azure/virtual-machines/linux/faq: what a user may be called; `root` and the like are refused. */
const AdminUser = z
  .string()
  .regex(
    /^[a-z_][a-z0-9_-]{0,31}$/,
    'expected 1 to 32 characters: lower-case letters, digits, _ and -, not beginning with a digit',
  );

/** A machine that somebody asks for by hand. */
export const NewMachine = z.strictObject({
  name: HandMadeName,
  /** Whether the region offers it is checked against what Azure lists there. */
  size: z.string().min(1).default('Standard_B2s'),
  image: MachineImage.default('Debian:debian-13:13-gen2:latest'),
  /** Machines are made where the installation is: another location is refused. */
  location: z.string().optional(),
  zone: z.string().optional(),
  priority: Priority.default('regular'),
  /** A network of one's own: its name in the machines' resource group, or its resource id; absent: Berth's. */
  network: z.string().min(1).max(500).optional(),
  /** A subnet of `network`, which must then be given. */
  subnet: z.string().min(1).max(80).optional(),
  /** Whether the machine has a static public address. */
  publicAddress: z.boolean().default(true),
  /** First label of the public address's DNS name: `<label>.<location>.cloudapp.azure.com`. */
  dnsLabel: z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{1,61}[a-z0-9]$/,
      'expected 3 to 63 characters: lower-case letters, digits, hyphens',
    )
    .optional(),
  /** A fixed private address of the subnet; absent: the next that is free. */
  address: z.ipv4('expected an IPv4 address').optional(),
  /** Reached from `allowFrom`, besides 2376 and 22. */
  openPorts: z.array(OpenPort).max(100).default([]),
  /** Who reaches the machine; absent: the address that the request comes from. */
  allowFrom: z.array(Cidr).max(100).optional(),
  adminUser: AdminUser.default('berth'),
  /** Public keys, as in authorized_keys; without any, nobody can log in. */
  sshKeys: z.array(SshKey).max(20).default([]),
  tags: z.record(z.string().min(1).max(512), z.string().max(256)).default({}),
  /** cloud-init user data that is carried out after Berth's own: it begins with `#cloud-config`, `#!` (a script), `#cloud-boothook` or `#include`. */
  customData: z.string().max(65_535).optional(),
});
export type NewMachine = z.infer<typeof NewMachine>;
