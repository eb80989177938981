import { createHash } from 'node:crypto';

/** What the plain machine image is made of: a Debian with systemd and cloud-init, as a marketplace image is. */
export interface BaseRecipe {
  /** Code name of the Debian release. */
  readonly release: string;
  readonly packages: readonly string[];
  /** How mmdebstrap makes it. */
  readonly options: readonly string[];
  /** Run in the image as its last step, by sh. Holds no single quotes. */
  readonly script: string;
}

const packages = [
  ...['systemd-sysv', 'dbus', 'cloud-init', 'ca-certificates', 'iproute2', 'iptables', 'netbase'],
  // What the agent of a machine uses, as Azure's Debian images have it.
  ...['openssl', 'python3'],
  // How its administrator comes in: a user without a password, who may do everything.
  ...['openssh-server', 'sudo'],
];

/**
 * The package lists stay: cloud-init's update then asks for what is new only. No paths are excluded, since
 * mmdebstrap then filters every archive itself, which takes longer than unpacking the whole.
 */
const options = [
  ...['--mode=root', '--variant=minbase', '--format=tar', '--skip=cleanup/apt/lists'],
  '--aptopt=Acquire::Languages "none"',
];

/**
 * `network` and `apt` are left as the runtime has made them; without `locale: false` cloud-init ends in an error on
 * an image that has no locales. The masked units do work that a machine of minutes or days does not need, some of
 * it in the first seconds. Host keys are each machine's own: cloud-init makes them at its first boot, of the two kinds
 * that clients ask for first, and shows the public ones on the console. Signing a session in for the kernel's audit
 * is refused in a container, and must not end the session.
 */
const script = `set -eu
mkdir -p /etc/cloud/cloud.cfg.d
cat > /etc/cloud/cloud.cfg.d/90_berth.cfg <<END
datasource_list: [ NoCloud ]
locale: false
network: { config: disabled }
apt: { preserve_sources_list: true }
ssh_deletekeys: true
ssh_genkeytypes: [ ed25519, ecdsa ]
END
rm -f /etc/ssh/ssh_host_*
sed -i "s/^session *required *pam_loginuid/session optional pam_loginuid/" /etc/pam.d/sshd
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \\
  dpkg-db-backup.timer systemd-sysctl.service systemd-udevd.service systemd-udev-trigger.service \\
  systemd-udev-settle.service sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \\
  dev-hugepages.mount dev-mqueue.mount systemd-modules-load.service systemd-remount-fs.service \\
  console-getty.service getty.target systemd-networkd.service systemd-networkd.socket systemd-resolved.service
do ln -sf /dev/null /etc/systemd/system/$unit
done
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id
`;

export const baseRecipe = (release: string): BaseRecipe => ({ release, packages, options, script });

/** The image's name in the engine: another recipe is another image. */
export const baseImageName = (recipe: BaseRecipe): string =>
  `berth/machine-base:${recipe.release}-${createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12)}`;
