/** First process of the container: the proxy's master, which reads the configuration again when it is told to. */
const START = `#!/bin/sh
rm -rf /run/berth.lock
exec haproxy -W -db -f /berth/current/haproxy.cfg -S /run/master.sock,mode,600
`;

/**
 * `apply VERSION`: takes /berth/incoming/VERSION into use. What differs in servers alone changes in the running proxy;
 * otherwise a new process takes over its sockets while the old one ends what it has. Exits 0 if it, or something newer,
 * is in use; 10 if it is needed with its certificates; 11 if the proxy does not take it; 12 if it did not take over, 13 if it refused a change, 14 if another change goes on.
 */
const APPLY = `#!/bin/sh
set -eu
tries=0
until mkdir /run/berth.lock 2>/dev/null; do
  tries=$((tries + 1))
  [ "$tries" -lt 300 ] || exit 14
  sleep 0.1
done
trap 'rmdir /run/berth.lock' EXIT
new=/berth/incoming/$1
[ "$1" -gt "$(cat /berth/version)" ] || { rm -rf "$new"; exit 0; }
if [ "$(cat "$new/structure")" = "$(cat /berth/current/structure)" ]; then
  mv "$new/haproxy.cfg" /berth/current/haproxy.cfg
  while IFS= read -r line; do
    answer=$(printf '%s\\n' "$line" | socat -t 5 - UNIX-CONNECT:/run/haproxy.sock)
    case "$answer" in *"No such"*|*nvalid*) echo "$answer"; exit 13 ;; esac
  done < "$new/commands"
  rm -rf "$new"
else
  [ -d "$new/certificates" ] || exit 10
  haproxy -c -q -f "$new/haproxy.cfg" || exit 11
  rm -rf /berth/previous
  mv /berth/current /berth/previous
  mv "$new" /berth/current
  echo reload | socat -t 5 - UNIX-CONNECT:/run/master.sock > /dev/null
  tries=0
  until echo 'show env BERTH_STRUCTURE' | socat -t 5 - UNIX-CONNECT:/run/haproxy.sock 2>/dev/null | grep -q "=$(cat /berth/current/structure)$"; do
    tries=$((tries + 1))
    if [ "$tries" -ge 200 ]; then
      rm -rf "$new"
      mv /berth/current "$new"
      mv /berth/previous /berth/current
      exit 12
    fi
    sleep 0.05
  done
  [ ! -e /berth/leaving ] || /berth/leave
fi
echo "$1" > /berth/version
`;

/** `leave`: the load balancer's probe is refused from now on, whatever is taken into use; requests are still answered. */
const LEAVE = `#!/bin/sh
: > /berth/leaving
echo 'disable frontend health' | socat -t 5 - UNIX-CONNECT:/run/haproxy.sock
`;

/** `drained SECONDS BACKEND/SERVER…`: waits until these servers, of the process and of older ones, have nothing to do. */
const DRAINED = `#!/bin/sh
set -eu
until=$(($(date +%s) + $1))
shift
master() { socat -t 5 - UNIX-CONNECT:/run/master.sock; }
while :; do
  busy=0
  for worker in $(echo 'show proc' | master | awk '$2 == "worker" { print $1 }'); do
    for place in "$@"; do
      count=$(echo "@!$worker show stat \${place%/*} 4 -1" | master | awk -F, -v server="\${place#*/}" '$2 == server { sum += $5 } END { print sum + 0 }')
      busy=$((busy + count))
    done
  done
  [ "$busy" -gt 0 ] || exit 0
  [ "$(date +%s)" -lt "$until" ] || { echo "$busy"; exit 20; }
  sleep 0.1
done
`;

/** Until the app has brought the first configuration, the container is not healthy. */
const FIRST = `global
  fd-hard-limit 40000
  log stdout format raw local0 notice
  stats socket /run/haproxy.sock mode 600 level admin expose-fd listeners
  setenv BERTH_STRUCTURE none
defaults
  mode http
  timeout client 5s
  timeout connect 5s
  timeout server 5s
frontend health
  bind :8404
  http-request return status 503 content-type text/plain string "no configuration yet"
`;

/** Files of the image besides Debian's. */
export const IMAGE_FILES = [
  { path: 'berth/start', mode: 0o755, content: START },
  { path: 'berth/apply', mode: 0o755, content: APPLY },
  { path: 'berth/leave', mode: 0o755, content: LEAVE },
  { path: 'berth/drained', mode: 0o755, content: DRAINED },
  { path: 'berth/current/haproxy.cfg', mode: 0o644, content: FIRST },
  { path: 'berth/current/structure', mode: 0o644, content: 'none\n' },
  { path: 'berth/version', mode: 0o644, content: '0\n' },
] as const;

/** Programs of busybox that the scripts use. */
const PROGRAMS = 'sh awk cat date echo grep head mkdir mv printf rm rmdir sed sleep';

/**
 * Runs in a container whose /usr and /etc are the machine's: its own apt brings the proxy and the libraries that it
 * needs, as Debian signs them, into /out. Nothing of the machine is changed. That a library is missing shows when the
 * programs are asked for their versions.
 */
export const ASSEMBLE = `set -eu
umask 022
export LC_ALL=C
mkdir -p /work/lists/partial /work/cache/archives/partial /work/debs /out
: > /work/status
apt="-o Dir::State=/work -o Dir::State::Lists=/work/lists -o Dir::State::status=/work/status -o Dir::Cache=/work/cache -o APT::Sandbox::User=root -o Acquire::Languages=none"
apt-get $apt -q update
wanted="haproxy socat busybox-static"
needed=$(apt-cache $apt depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances $wanted | awk -v wanted="$wanted" '
  /^[^ ]/ { package = $1 }
  /^ .*Depends: (lib|zlib1g)[^ ]*$/ { edges[package] = edges[package] " " $NF }
  function visit(name, list, count, at) {
    if (name in seen) return
    seen[name] = 1
    print name
    count = split(edges[name], list, " ")
    for (at = 1; at <= count; at++) visit(list[at])
  }
  END { count = split(wanted, names, " "); for (at = 1; at <= count; at++) visit(names[at]) }')
cd /work/debs
apt-get $apt -q download $needed
for package in *.deb; do dpkg-deb -x "$package" /out; done
for folder in bin sbin lib lib64; do
  [ -e "/out/$folder" ] || ! [ -d "/out/usr/$folder" ] || ln -s "usr/$folder" "/out/$folder"
done
[ -e /out/bin ] || mkdir /out/bin
for program in ${PROGRAMS}; do [ -e "/out/bin/$program" ] || ln -s busybox "/out/bin/$program"; done
rm -rf /out/usr/share /out/etc /out/var /out/usr/lib/systemd /out/lib/systemd
mkdir -p /out/etc /out/run /out/tmp /out/berth/incoming
echo 'root:x:0:0:root:/:/bin/sh' > /out/etc/passwd
echo 'root:x:0:' > /out/etc/group
chroot /out /usr/bin/socat -V > /dev/null
shown=$(chroot /out /usr/sbin/haproxy -v)
echo "$shown" | head -1
ls -1 | sed -n 's/^haproxy_\\([^_]*\\)_.*/haproxy \\1/p'
`;

/** Names what an image was made from besides Debian's packages: grows with every change of this file. */
export const RECIPE = 'recipe-3';
