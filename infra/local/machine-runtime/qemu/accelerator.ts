import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Accelerator = 'kvm' | 'tcg';

/** The processor that machines get with each. */
export const processorOf: Readonly<Record<Accelerator, string>> = { kvm: 'host', tcg: 'max' };

/** What isa-debug-exit makes of the byte that the proof writes: (0x10 << 1) | 1. */
const PROOF = 33;
const PATIENCE_MS = 10_000;

/** `kvm` where a virtual processor really runs: the device may be there and not work, inside a virtual machine for example. */
export async function findAccelerator(): Promise<Accelerator> {
  return existsSync('/dev/kvm') && (await runsCode('kvm')) ? 'kvm' : 'tcg';
}

/** Gives the machine firmware that does nothing but end it with a code of its own. */
async function runsCode(accelerator: Accelerator): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-proof-'));
  try {
    const firmware = join(folder, 'firmware');
    const code = Buffer.alloc(65_536, 0xf4);
    // At the reset vector: mov al, 0x10; out 0xf4, al; hlt.
    Buffer.from([0xb0, 0x10, 0xe6, 0xf4, 0xf4]).copy(code, 0xff_f0);
    writeFileSync(firmware, code);
    const child = spawn(
      'qemu-system-x86_64',
      [
        ...['-accel', accelerator, '-cpu', processorOf[accelerator], '-M', 'q35', '-bios', firmware],
        ...['-display', 'none', '-nodefaults', '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'],
      ],
      { stdio: 'ignore', timeout: PATIENCE_MS, killSignal: 'SIGKILL' },
    );
    return await new Promise<boolean>((resolve) => {
      child.once('error', () => resolve(false));
      child.once('close', (exitCode) => resolve(exitCode === PROOF));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
