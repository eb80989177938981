import { type BaseRecipe, baseRecipe } from '../base-recipe.ts';

/**
 * The root file system of container machines, with what a computer of its own needs: a kernel, devices, and the agent
 * through which the platform runs programs in it. The units that are masked there for want of these are not masked here.
 */
export function qemuRecipe(release: string): BaseRecipe {
  const { packages, options, script } = baseRecipe(release);
  return {
    release,
    // e2fsprogs: its disk grows at boot, and since Debian 13 no minimal system has that by itself.
    packages: [...packages, 'linux-image-cloud-amd64', 'udev', 'qemu-guest-agent', 'e2fsprogs'],
    options: options.map((option) => (option === '--format=tar' ? '--format=directory' : option)),
    script: `${script}for unit in systemd-udevd.service systemd-udev-trigger.service systemd-udev-settle.service \\
  systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service
do rm -f /etc/systemd/system/$unit
done
printf "/dev/vda / ext4 rw,discard 0 1\\n" > /etc/fstab
`,
  };
}
