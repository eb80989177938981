/**
 * Brings the newest package of the engine that is installed, with the machine's own package manager, and says before
 * and after which version runs. `live-restore` in the engine's configuration lets containers go on.
 */
export const upgradeScript = `set -eu
exec 2>&1
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a
version() { docker version --format '{{.Server.Version}}' 2>/dev/null || echo 'not running'; }
echo "berth-before: $(version)"
if command -v apt-get > /dev/null; then
  packages=
  for package in docker.io docker-ce docker-ce-cli moby-engine moby-cli containerd containerd.io runc; do
    if dpkg-query --show --showformat='\${db:Status-Status}' $package 2>/dev/null | grep -qx installed; then packages="$packages $package"; fi
  done
  apt-get -qq -o DPkg::Lock::Timeout=120 update
  apt-get -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold --only-upgrade install $packages < /dev/null
elif command -v tdnf > /dev/null; then
  tdnf -y upgrade moby-engine moby-cli moby-containerd moby-runc < /dev/null
elif command -v dnf > /dev/null; then
  dnf -y upgrade moby-engine docker-ce docker-ce-cli containerd.io runc < /dev/null
elif command -v zypper > /dev/null; then
  zypper --non-interactive update docker containerd runc < /dev/null
else
  echo 'No package manager that is known here: apt-get, tdnf, dnf or zypper.'
  exit 9
fi
for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
  now=$(version)
  [ "$now" = 'not running' ] || break
  sleep 1
done
echo "berth-after: $now"
[ "$now" != 'not running' ]
`;
