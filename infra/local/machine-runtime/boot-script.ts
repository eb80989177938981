import { platformFolder, platformSettings } from './platform-settings.ts';

/** Where a machine leaves word how it ended, on its own disk: what is mounted is gone by then. */
export const endingFile = '/var/lib/berth-ending';

/**
 * The machine's entry point, before systemd: what a computer's firmware and its network would have done.
 * - systemd and the machine's engine need their control groups writable, and /proc/sys/net, nothing else of /proc/sys,
 *   whose other settings are the whole computer's.
 * - systemd calls its shutdown hook with `reboot`, `poweroff` or `halt` as its last deed: without the capability to
 *   restart a computer its exit code is 0 each time. systemd-shutdown(8)
 * - systemd 256 and 257 boot on control groups of version 1 only if they are told to: init's arguments are its kernel's.
 */
export const bootScript = `#!/bin/sh
set -eu
platform=${platformFolder}
while read -r _ path type _; do
  case "$type" in cgroup | cgroup2) mount -o remount,bind,rw "$path" ;; esac
done < /proc/mounts
mount --bind /proc/sys/net /proc/sys/net
mount -o remount,bind,rw /proc/sys/net
${platformSettings}rm -f ${endingFile}
mkdir -p /usr/lib/systemd/system-shutdown
printf '#!/bin/sh\\necho "$1" > ${endingFile}\\n' > /usr/lib/systemd/system-shutdown/berth
chmod 755 /usr/lib/systemd/system-shutdown/berth
[ -e /sys/fs/cgroup/cgroup.controllers ] ||
  set -- systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1
exec /sbin/init "$@"
`;
