import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../command.ts';
import { machineFolder } from '../machine-folder.ts';
import { type Accelerator, processorOf } from './accelerator.ts';
import type { BaseDisk } from './base-disk.ts';
import { exchange } from './socket-exchange.ts';
import { hardwareAddress, tapName } from './tap.ts';

type Place = { readonly id: string; readonly directory: string };

/** Files of a machine's process. Sockets are under /run, since a socket's path has at most 107 bytes. */
export function processFiles({ id, directory }: Place, name: string) {
  const { root } = machineFolder(directory, name);
  const volatile = `/run/berth-${id}/machines`;
  const tap = tapName(id, name);
  return {
    volatile,
    monitor: `${volatile}/${tap}.monitor`,
    agent: `${volatile}/${tap}.agent`,
    pid: join(root, 'qemu.pid'),
    console: join(root, 'console.log'),
    disk: join(root, 'disk.qcow2'),
    /** Holds this computer's boot id since the machine was started, until we stop it. random(4) */
    startedIn: join(root, 'started-in'),
  };
}

/** Process id of a machine that runs; undefined where none does. */
export function runningProcess(place: Place, name: string): number | undefined {
  const { pid: file, monitor } = processFiles(place, name);
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, 'utf8'));
  try {
    // A number may have gone to another process since.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(monitor) ? pid : undefined;
  } catch {
    return undefined;
  }
}

export interface MachineHardware {
  readonly cores: number;
  /** MiB. */
  readonly memory: number;
  readonly accelerator: Accelerator;
  readonly base: Pick<BaseDisk, 'kernel' | 'initrd'>;
  readonly discs: readonly string[];
}

/** Starts the machine, detached: it outlives this process. Returns once it runs. https://www.qemu.org/docs/master/system/invocation.html */
export async function startProcess(place: Place, name: string, hardware: MachineHardware): Promise<void> {
  const files = processFiles(place, name);
  const { cores, memory, accelerator, base, discs } = hardware;
  mkdirSync(files.volatile, { recursive: true, mode: 0o700 });
  rmSync(files.console, { force: true });
  writeFileSync(files.startedIn, bootId());
  await run('qemu-system-x86_64', [
    ...[
      '-daemonize',
      '-pidfile',
      files.pid,
      '-name',
      name,
      '-display',
      'none',
      '-nodefaults',
      '-no-user-config',
    ],
    ...[
      '-M',
      'q35',
      '-accel',
      accelerator === 'tcg' ? 'tcg,thread=multi' : 'kvm',
      '-cpu',
      processorOf[accelerator],
    ],
    ...['-smp', String(cores), '-m', String(memory)],
    ...['-kernel', base.kernel, '-initrd', base.initrd],
    // Devices keep the kernel's names; the console is the serial line.
    ...['-append', 'root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet systemd.show_status=1'],
    ...['-drive', `file=${files.disk},format=qcow2,if=virtio,cache=writeback,discard=unmap`],
    ...discs.flatMap((disc) => ['-drive', `file=${disc},format=raw,if=virtio,readonly=on`]),
    ...['-netdev', `tap,id=net,ifname=${tapName(place.id, name)},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,netdev=net,mac=${hardwareAddress(place.id, name)}`],
    ...['-device', 'virtio-rng-pci', '-device', 'virtio-serial'],
    ...['-chardev', `socket,id=agent,path=${files.agent},server=on,wait=off`],
    ...['-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
    ...['-chardev', `socket,id=monitor,path=${files.monitor},server=on,wait=off`],
    ...['-mon', 'chardev=monitor,mode=control'],
    ...['-serial', `file:${files.console}`],
  ]);
}

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');

/** Whether a machine that was on went down by itself: neither was it stopped by us, nor has this computer been down since. */
export function endedByItself(place: Place, name: string): boolean {
  const { startedIn } = processFiles(place, name);
  return (
    runningProcess(place, name) === undefined &&
    existsSync(startedIn) &&
    readFileSync(startedIn, 'utf8') === bootId()
  );
}

/** What a system is given to go down by itself; after it the power is cut. */
const GRACE_MS = 30_000;
const PAUSE_MS = 100;

/** Presses the power button and waits; a machine that does not go down is cut off. */
export async function stopProcess(place: Place, name: string, grace = GRACE_MS): Promise<void> {
  const files = processFiles(place, name);
  const pid = runningProcess(place, name);
  rmSync(files.startedIn, { force: true });
  if (pid === undefined) return;
  const until = Date.now() + grace;
  if (grace > 0)
    await exchange(files.monitor, 5_000, async (monitor) => {
      await monitor.next();
      await monitor.ask('qmp_capabilities');
      await monitor.ask('system_powerdown');
    }).catch(() => {});
  while (runningProcess(place, name) !== undefined) {
    if (Date.now() >= until) cutOff(pid);
    await sleep(PAUSE_MS);
  }
}

/** It may have ended this moment. */
function cutOff(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
