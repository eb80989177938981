import { platformFolder, platformSettings } from '../platform-settings.ts';

/** Labels of the discs that a machine starts with. cloud-init knows the first by its own label. */
export const SEED_LABEL = 'cidata';
export const PLATFORM_LABEL = 'BERTH';

/**
 * What firmware and network do for a container machine, done here at each boot before the network counts as there:
 * address, name servers, packet filter, and the platform's certificate authority in the trust store.
 */
export const platformScript = `#!/bin/sh
set -eu
platform=${platformFolder}
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
${platformSettings}`;

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
