import { OWN_RELEASE } from './apt-settings.ts';

/** Where a machine finds what the platform gives it. */
export const platformFolder = '/var/lib/berth-platform';

/**
 * Lines of sh for a machine's boot, with the folder as `$platform`: the packet filter before anything listens, where
 * packages come from, and the platform's certificate authority in the trust store, as public ones are on Azure.
 */
export const platformSettings = `for rules in inbound hook platform; do iptables-restore --wait --noflush < $platform/$rules.rules; done
if [ -s $platform/sources.list ]; then
  rm -f /etc/apt/sources.list.d/*
  . /etc/os-release
  sed "s/ ${OWN_RELEASE}/ $${OWN_RELEASE}/" $platform/sources.list > /etc/apt/sources.list
fi
cp $platform/apt.conf /etc/apt/apt.conf.d/90berth
authority=/usr/local/share/ca-certificates/berth-platform.crt
if ! cmp -s $platform/authority.crt $authority; then
  cp $platform/authority.crt $authority
  update-ca-certificates > /dev/null
fi
`;
