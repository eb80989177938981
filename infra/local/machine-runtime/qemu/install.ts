import { Terminal } from '../../../../shared/model/errors.ts';
import { installed, installPrograms, type NeededProgram } from '../install-engine.ts';

const programs: readonly NeededProgram[] = [
  { program: 'qemu-system-x86_64', packages: ['qemu-system-x86'] },
  { program: 'qemu-img', packages: ['qemu-utils'] },
  { program: 'genisoimage', packages: ['genisoimage'] },
  { program: 'mkfs.ext4', packages: ['e2fsprogs'] },
  { program: 'mmdebstrap', packages: ['mmdebstrap'] },
];

/** Why virtual machines cannot run here; undefined if they can. */
export function whyNoQemu(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `they need Linux on x64, and this is ${process.platform} on ${process.arch}`;
  if (process.getuid?.() !== 0) return 'they need root, and you are not root';
  if (programs.some(({ program }) => !installed(program)) && !installed('apt-get'))
    return 'QEMU must be installed first, and this is not Debian, whose packages we could install';
  return undefined;
}

/** Installs QEMU and what makes its disks. @throws Terminal `no-virtual-machines` */
export async function installQemu(report: (line: string) => void): Promise<void> {
  const reason = whyNoQemu();
  if (reason !== undefined)
    throw new Terminal({
      code: 'no-virtual-machines',
      message: `Machines cannot be virtual machines here: ${reason}`,
      remedy: 'Leave --machines qemu out: machines are containers then.',
    });
  await installPrograms(programs, report);
}
