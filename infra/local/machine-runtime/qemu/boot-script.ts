/** Labels of the discs that a machine starts with. cloud-init knows the first by its own label. */
export const SEED_LABEL = 'cidata';
export const PLATFORM_LABEL = 'BERTH';

/** Where the platform's disc is copied to, so that rules that change later can be loaded from there, too. */
export const PLATFORM_FOLDER = '/var/lib/berth-platform';

/**
 * What firmware and network do for a container machine, done here at each boot before the network counts as there:
 * address, name servers, packet filter, and the platform's certificate authority in the trust store.
 */
export const platformScript = `#!/bin/sh
set -eu
platform=${PLATFORM_FOLDER}
mkdir -p /run/berth-disc $platform
mount -o ro "$(blkid -L ${PLATFORM_LABEL})" /run/berth-disc
cp /run/berth-disc/* $platform/
umount /run/berth-disc
. $platform/network.env
ip link set lo up
ip link set eth0 up
ip addr replace "$ADDRESS/$BITS" dev eth0
ip route replace default via "$GATEWAY"
rm -f /etc/resolv.conf
cp $platform/resolv.conf /etc/resolv.conf
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
`;

/** Before everything that waits for the network, as a network's own daemon would be. systemd.special(7) */
export const platformUnit = `[Unit]
Description=Berth: what the platform gives this machine
DefaultDependencies=no
After=local-fs.target systemd-udev-settle.service
Wants=systemd-udev-settle.service
Before=network-pre.target cloud-init-local.service cloud-init.service network.target network-online.target ssh.service
Wants=network-pre.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /usr/local/lib/berth-platform
[Install]
WantedBy=sysinit.target
`;
