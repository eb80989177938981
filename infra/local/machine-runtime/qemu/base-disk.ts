import { createHash, randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { aptSettings } from '../apt-settings.ts';
import { run } from '../command.ts';
import { makeRoot } from '../make-root.ts';
import { makeForRelease } from '../release.ts';
import { platformScript, platformUnit } from './boot-script.ts';
import { qemuRecipe } from './recipe.ts';

/** What a machine boots: a raw ext4 disk without partitions, and the kernel that is given to QEMU beside it. */
export interface BaseDisk {
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
}

export interface BaseDiskOptions {
  /** Absolute: kept between starts. */
  readonly cache: string;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** As large as an ext4 of a minimal Debian may grow while it is made; a machine's own disk is larger, and grows into it. */
const BYTES = 3 * 2 ** 30;

/** Makes, or finds, the disk that marketplace references of a release boot. Takes some minutes the first time. */
export const ensureBaseDisk = (release: string, options: BaseDiskOptions): Promise<BaseDisk> =>
  makeForRelease(release, options, (made) => makeBaseDisk(made, options));

async function makeBaseDisk(release: string, { cache, report, signal }: BaseDiskOptions): Promise<BaseDisk> {
  const recipe = qemuRecipe(release);
  const digest = createHash('sha256')
    .update(JSON.stringify([recipe, platformScript, platformUnit]))
    .digest('hex')
    .slice(0, 12);
  const folder = join(cache, `berth-machine-disk-${release}-${digest}`);
  const files = {
    disk: join(folder, 'disk.raw'),
    kernel: join(folder, 'vmlinuz'),
    initrd: join(folder, 'initrd.img'),
  };
  if (existsSync(folder)) return files;
  const unfinished = `${folder}.${process.pid}-${randomBytes(4).toString('hex')}`;
  const root = join(unfinished, 'root');
  const aborted = signal === undefined ? {} : { signal };
  mkdirSync(root, { recursive: true });
  try {
    report(`making the machines' disk of Debian ${release} packages, with a kernel`);
    await makeRoot(recipe, root, aptSettings(release), aborted);
    writeFileSync(join(root, 'usr/local/lib/berth-platform'), platformScript);
    writeFileSync(join(root, 'etc/systemd/system/berth-platform.service'), platformUnit);
    await run('chroot', [root, 'systemctl', 'enable', 'berth-platform.service', 'qemu-guest-agent.service']);
    const boot = join(root, 'boot');
    for (const name of ['vmlinuz', 'initrd.img']) {
      const found = readdirSync(boot).find((file) => file.startsWith(`${name}-`));
      if (found === undefined) throw new Error(`the packages brought no /boot/${name}-*`);
      copyFileSync(join(boot, found), join(unfinished, name));
    }
    report("writing the machines' disk");
    const disk = join(unfinished, 'disk.raw');
    writeFileSync(disk, '');
    truncateSync(disk, BYTES);
    await run('mkfs.ext4', ['-q', '-F', '-d', root, disk], aborted);
    rmSync(root, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return files;
}
