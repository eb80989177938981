import { readFileSync } from 'node:fs';

/**
 * What a machine may do: run systemd and a Docker engine with ordinary containers. Not among them: SYS_TIME (the
 * clock is the whole computer's), SYS_MODULE, SYS_RAWIO, SYS_BOOT, MAC_ADMIN, MAC_OVERRIDE, WAKE_ALARM, SYSLOG, BPF,
 * PERFMON. Numbers: linux/capability.h.
 */
const wanted = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  DAC_READ_SEARCH: 2,
  FOWNER: 3,
  FSETID: 4,
  KILL: 5,
  SETGID: 6,
  SETUID: 7,
  SETPCAP: 8,
  LINUX_IMMUTABLE: 9,
  NET_BIND_SERVICE: 10,
  NET_BROADCAST: 11,
  NET_ADMIN: 12,
  NET_RAW: 13,
  IPC_LOCK: 14,
  IPC_OWNER: 15,
  SYS_CHROOT: 18,
  SYS_PTRACE: 19,
  SYS_ADMIN: 21,
  SYS_NICE: 23,
  SYS_RESOURCE: 24,
  SYS_TTY_CONFIG: 26,
  MKNOD: 27,
  LEASE: 28,
  AUDIT_WRITE: 29,
  AUDIT_CONTROL: 30,
  SETFCAP: 31,
} as const;

/** Pure: those of the wanted capabilities that `bounding` (CapBnd of /proc/<pid>/status, hex) allows at all. */
export const machineCapabilities = (bounding: string): readonly string[] =>
  Object.entries(wanted)
    .filter(([, bit]) => (BigInt(`0x${bounding}`) >> BigInt(bit)) & 1n)
    .map(([name]) => name);

/** Asking an engine for a capability that this computer itself lacks would fail the start. */
export function boundingSet(status = readFileSync('/proc/self/status', 'utf8')): string {
  return /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
}
