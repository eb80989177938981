import { describe, expect, it } from 'vitest';
import { acquireOptions, debianSources } from '../../../infra/local/machine-runtime/apt-settings.ts';
import { baseImageName, baseRecipe } from '../../../infra/local/machine-runtime/base-recipe.ts';
import { boundingSet, machineCapabilities } from '../../../infra/local/machine-runtime/capabilities.ts';
import { machineContainer } from '../../../infra/local/machine-runtime/machine-container.ts';
import { debianRelease, makeForRelease, releaseOf } from '../../../infra/local/machine-runtime/release.ts';

describe('capabilities', () => {
  it('never include the clock, modules, raw devices or the restart of the computer', () => {
    const all = machineCapabilities('000001ffffffffff');
    for (const name of ['SYS_TIME', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_BOOT', 'MAC_ADMIN', 'SYSLOG'])
      expect(all).not.toContain(name);
    expect(all).toContain('SYS_RESOURCE');
  });

  it('are only those that this computer has', () => {
    expect(machineCapabilities('000001fffeffffff')).not.toContain('SYS_RESOURCE');
    expect(boundingSet('CapEff:\t0\nCapBnd:\t000001fffeffffff\nCapAmb:\t0\n')).toBe('000001fffeffffff');
  });
});

describe('the container of a machine', () => {
  const request = {
    name: 'm1',
    address: '10.64.0.10',
    image: { kind: 'marketplace', reference: '' } as const,
    ...{ customData: '', cores: 4, memory: 1024, adminUser: 'a', sshKeys: [], inboundRules: [] },
  };
  const place = {
    ...{ id: '0a1b2c3d', directory: '/d', network: 'berth-0a1b2c3d', image: 'i', cores: 2 },
    ...{ capabilities: ['CHOWN'], resolvers: undefined },
  };

  it('has its address, its limits and no more rights than it needs', () => {
    const { HostConfig: host, NetworkingConfig: network, Labels } = machineContainer(request, place);
    expect(network.EndpointsConfig['berth-0a1b2c3d']?.IPAMConfig.IPv4Address).toBe('10.64.0.10');
    expect(host).toMatchObject({ CapDrop: ['ALL'], CapAdd: ['CHOWN'], NanoCpus: 2e9, Memory: 2 ** 30 });
    expect(host).not.toHaveProperty('Privileged');
    expect(Labels).toMatchObject({ 'berth.datacentre': '0a1b2c3d' });
  });

  it('reads what the platform gives it and writes none of it', () => {
    const { Mounts } = machineContainer(request, { ...place, resolvers: '/d/resolv.conf' }).HostConfig;
    const binds = Mounts.filter((mount) => mount.Type === 'bind');
    expect(binds).toHaveLength(3);
    for (const mount of binds) expect(mount).toMatchObject({ ReadOnly: true });
  });
});

describe('the machine image', () => {
  it('is another when its recipe is another', () => {
    const recipe = baseRecipe('bookworm');
    expect(baseImageName(recipe)).toMatch(/^berth\/machine-base:bookworm-[0-9a-f]{12}$/);
    expect(baseImageName({ ...recipe, packages: [...recipe.packages, 'vim'] })).not.toBe(
      baseImageName(recipe),
    );
    expect(recipe.script).not.toContain("'");
  });

  it('is of the release that the marketplace’s reference names, or of the newest', () => {
    expect(releaseOf('Debian:debian-12:12-gen2:latest')).toBe('bookworm');
    expect(releaseOf('debian:Debian-13:13:latest')).toBe('trixie');
    expect(releaseOf('Canonical:ubuntu-24_04-lts:server:latest')).toBe('trixie');
  });

  it('is of this computer’s own release where no other can be made, and says so', async () => {
    const made: string[] = [];
    const lines: string[] = [];
    const make = async (release: string) => {
      made.push(release);
      if (release === 'trixie') throw new Error('no such suite\nmore');
      return release;
    };
    const options = { report: (line: string) => void lines.push(line) };
    expect(await makeForRelease('trixie', options, make, 'bookworm')).toBe('bookworm');
    expect(made).toEqual(['trixie', 'bookworm']);
    expect(lines).toEqual([expect.stringMatching(/boot Debian bookworm.*trixie.*: no such suite$/)]);
    await expect(makeForRelease('trixie', options, make, 'trixie')).rejects.toThrow('no such suite');
    const aborted = { ...options, signal: AbortSignal.abort() };
    await expect(makeForRelease('trixie', aborted, make, 'bookworm')).rejects.toThrow('no such suite');
  });

  it('knows this computer’s release if that is Debian', () => {
    expect(debianRelease('ID=debian\nVERSION_CODENAME=trixie\n')).toBe('trixie');
    expect(debianRelease('ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n')).toBeUndefined();
  });

  it('takes Debian’s own suites from sources of either format', () => {
    const keyring = '[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]';
    const deb822 = `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib

Types: deb
URIs: https://other.example/apt
Suites: stable
Components: main

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main
`;
    expect(debianSources(deb822, 'bookworm')).toEqual([
      `deb ${keyring} http://mirror.example/debian bookworm main contrib`,
      `deb ${keyring} http://mirror.example/debian bookworm-updates main contrib`,
    ]);
    expect(debianSources(deb822, 'bookworm', 'trixie')).toEqual([
      `deb ${keyring} http://mirror.example/debian trixie main contrib`,
      `deb ${keyring} http://mirror.example/debian trixie-updates main contrib`,
    ]);
    const lines = `# deb http://no.example bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb https://packages.example/repos cloud-sdk main
`;
    expect(debianSources(lines, 'bookworm')).toEqual([
      `deb ${keyring} http://mirror.example/debian bookworm main`,
    ]);
  });

  it('takes proxies and nothing that runs programs from apt’s configuration', () => {
    const dump = `APT::Update::Post-Invoke:: "rm -f /x";
Acquire::http "";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::http::Proxy-Auto-Detect "/usr/bin/auto-apt-proxy";
Acquire::Retries "3";
Acquire::Languages:: "none";
`;
    expect(acquireOptions(dump)).toEqual([
      'Acquire::http::Proxy "http://proxy.example:3128";',
      'Acquire::Retries "3";',
    ]);
  });
});
