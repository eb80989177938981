import { z } from 'zod';

/** https://man7.org/linux/man-pages/man7/capabilities.7.html, and ALL. */
const NAMES = [
  ...([
    'ALL',
    'AUDIT_CONTROL',
    'AUDIT_READ',
    'AUDIT_WRITE',
    'BLOCK_SUSPEND',
    'BPF',
    'CHECKPOINT_RESTORE',
  ] as const),
  ...([
    'CHOWN',
    'DAC_OVERRIDE',
    'DAC_READ_SEARCH',
    'FOWNER',
    'FSETID',
    'IPC_LOCK',
    'IPC_OWNER',
    'KILL',
  ] as const),
  ...([
    'LEASE',
    'LINUX_IMMUTABLE',
    'MAC_ADMIN',
    'MAC_OVERRIDE',
    'MKNOD',
    'NET_ADMIN',
    'NET_BIND_SERVICE',
  ] as const),
  ...([
    'NET_BROADCAST',
    'NET_RAW',
    'PERFMON',
    'SETFCAP',
    'SETGID',
    'SETPCAP',
    'SETUID',
    'SYS_ADMIN',
  ] as const),
  ...(['SYS_BOOT', 'SYS_CHROOT', 'SYS_MODULE', 'SYS_NICE', 'SYS_PACCT', 'SYS_PTRACE', 'SYS_RAWIO'] as const),
  ...(['SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'SYSLOG', 'WAKE_ALARM'] as const),
] as const;

/** Without `CAP_`, which may stand before it. */
export const Capability = z
  .string()
  .transform((name) => name.toUpperCase().replace(/^CAP_/, ''))
  .pipe(z.enum(NAMES, 'expected a capability such as NET_ADMIN, or ALL'));
export type Capability = z.infer<typeof Capability>;

/**
 * Those that a container has unless they are dropped, and two that reach no further than itself: whoever deploys may add them.
 * https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities
 */
export const HARMLESS_CAPABILITIES: ReadonlySet<Capability> = new Set<Capability>([
  ...([
    'AUDIT_WRITE',
    'CHOWN',
    'DAC_OVERRIDE',
    'FOWNER',
    'FSETID',
    'KILL',
    'MKNOD',
    'NET_BIND_SERVICE',
  ] as const),
  ...(['NET_RAW', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT', 'IPC_LOCK', 'SYS_NICE'] as const),
]);
