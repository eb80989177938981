/** Where a machine finds what the platform gives it, read-only. */
export const platformFolder = '/var/lib/berth-platform';

/** Where a machine leaves word how it ended, on its own disk: what is mounted is gone by then. */
export const endingFile = '/var/lib/berth-ending';

/**
 * The machine's entry point, before systemd: what a computer's firmware and its network would have done.
 * - systemd and the machine's engine need their control groups writable, and /proc/sys/net, nothing else of /proc/sys,
 *   whose other settings are the whole computer's.
 * - The packet filter is there before anything listens.
 * - The platform's certificate authority is trusted, as public ones are on Azure.
 * - systemd calls its shutdown hook with `reboot`, `poweroff` or `halt` as its last deed: without the capability to
 *   restart a computer its exit code is 0 each time. systemd-shutdown(8)
 */
export const bootScript = `#!/bin/sh
set -eu
platform=${platformFolder}
while read -r _ path type _; do
  case "$type" in cgroup | cgroup2) mount -o remount,bind,rw "$path" ;; esac
done < /proc/mounts
mount --bind /proc/sys/net /proc/sys/net
mount -o remount,bind,rw /proc/sys/net
for rules in inbound hook platform; do iptables-restore --wait --noflush < $platform/$rules.rules; done
if [ -s $platform/sources.list ]; then
  rm -f /etc/apt/sources.list.d/*
  cp $platform/sources.list /etc/apt/sources.list
fi
cp $platform/apt.conf /etc/apt/apt.conf.d/90berth
authority=/usr/local/share/ca-certificates/berth-platform.crt
if ! cmp -s $platform/authority.crt $authority; then
  cp $platform/authority.crt $authority
  update-ca-certificates > /dev/null
fi
rm -f ${endingFile}
mkdir -p /usr/lib/systemd/system-shutdown
printf '#!/bin/sh\\necho "$1" > ${endingFile}\\n' > /usr/lib/systemd/system-shutdown/berth
chmod 755 /usr/lib/systemd/system-shutdown/berth
exec /sbin/init
`;
