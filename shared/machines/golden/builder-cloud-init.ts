import { stringify } from 'yaml';
import {
  bootReportUnit,
  engineInstallation,
  file,
  machineSoftware,
  machineUnits,
} from '../machine-software.ts';
import { CLEAN, UNFIT } from './builder-console.ts';

const SCRIPT = '/usr/local/lib/berth/become-image';
const UNIT = '/etc/systemd/system/berth-become-image.service';

/**
 * What a machine does that becomes an image, once cloud-init has ended: it takes away all that must not be the same on
 * two machines (identity, keys, certificates, names, users), says so on its console, and powers off. One that cannot
 * become an image says why and stays on. Nothing of one machine was ever written to it: its engine never ran, since
 * an engine without certificate stays down.
 * https://learn.microsoft.com/azure/virtual-machines/linux/capture-image#step-1-deprovision-the-vm
 */
export const becomeImage = `#!/bin/sh
set -eu
step='it did not come to that'
say() { echo "berth: $1" > /dev/console; }
trap 'test $? = 0 || say "${UNFIT}: $step"' EXIT
step='cloud-init has no result'
errors=$(python3 -c 'import json; print("; ".join(json.load(open("/run/cloud-init/result.json"))["v1"]["errors"]))')
step="cloud-init reported errors: $errors"
test -z "$errors"
step='there is no Docker engine'
command -v dockerd > /dev/null
step='its engine does not stop'
for unit in docker.socket docker.service containerd.service; do
  if systemctl --quiet is-active $unit; then systemctl stop $unit; fi
done
step='what belongs to one machine cannot be removed'
rm -rf /etc/docker/tls /etc/docker/key.json /etc/docker/daemon.json /etc/berth /var/lib/berth
for folder in /var/lib/docker /var/lib/containerd; do
  if [ -d $folder ]; then find $folder -mindepth 1 -delete; fi
done
rm -f /etc/ssh/ssh_host_* /root/.bash_history ${SCRIPT} ${UNIT}
apt-get clean
step='waagent does not deprovision'
if command -v waagent > /dev/null; then waagent -deprovision+user -force; fi
step='cloud-init does not clean'
cloud-init clean --logs
step='its machine id cannot be emptied'
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id
sync
say "${CLEAN}"
systemctl --no-block poweroff
`;

const unit = `[Unit]
Description=Berth: makes an image of this machine
After=cloud-final.service
[Service]
Type=oneshot
ExecStart=${SCRIPT}
`;

/**
 * The customData of the machine that becomes a golden image: everything that a machine of a pool installs at its first
 * boot, and nothing of any one machine. Two of them on one base are the same: its digest says what is in the image.
 * @param image what it boots: reference of the marketplace, or a resource id
 */
export function renderBuilderCloudInit(image: string): string {
  const config = {
    ...engineInstallation(image),
    write_files: [...machineSoftware(), file(SCRIPT, becomeImage, '0755'), file(UNIT, unit)],
    // Not started here: this machine is never asked to register.
    runcmd: [
      ['systemctl', 'enable', ...machineUnits, bootReportUnit],
      ['systemctl', 'start', '--no-block', 'berth-become-image.service'],
    ],
  };
  return `#cloud-config\n${stringify(config, { lineWidth: 0 })}`;
}
