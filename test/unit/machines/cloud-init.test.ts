import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { agentScript } from '../../../shared/machines/agent.ts';
import { renderCloudInit } from '../../../shared/machines/cloud-init.ts';

const request = {
  machine: 'm1',
  appUrl: 'https://app.azurewebsites.net',
  engineCaCertificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  network: '10.20.0.0/16',
  image: 'Debian:debian-13:13-gen2:latest',
};
const Config = z.strictObject({
  package_update: z.boolean(),
  packages: z.array(z.string()),
  apt: z.object({ conf: z.string() }),
  write_files: z.array(z.strictObject({ path: z.string(), permissions: z.string(), content: z.string() })),
  runcmd: z.array(z.array(z.string())),
});
const read = (text: string) => Config.parse(parse(text));
const file = (text: string, path: string) =>
  read(text).write_files.find((one) => one.path === path)?.content ?? '';

describe('customData', () => {
  it('is cloud-config and fits into Azure’s limit', () => {
    const text = renderCloudInit(request);
    expect(text).toMatch(/^#cloud-config\n/);
    expect(new TextEncoder().encode(text).length).toBeLessThan(55_000);
  });

  it('installs the engine with its client, which is a package of its own since Debian 13', () => {
    const packagesOf = (image: string) => read(renderCloudInit({ ...request, image })).packages;
    const plain = ['docker.io', 'wireguard-tools', 'wireguard-go'];
    const withClient = ['docker.io', 'docker-cli', 'wireguard-tools', 'wireguard-go'];
    expect(packagesOf('Debian:debian-13:13-gen2:latest')).toEqual(withClient);
    expect(packagesOf('Debian:debian-12:12-gen2:latest')).toEqual(plain);
    expect(packagesOf('Canonical:ubuntu-24_04-lts:server:latest')).toEqual(plain);
    expect(
      packagesOf('/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/debian-13'),
    ).toEqual(plain);
  });

  it('carries no key', () => {
    expect(renderCloudInit(request)).not.toMatch(/PRIVATE KEY/);
  });

  it('starts the engine with mutual TLS, and not before it has its certificate', () => {
    const text = renderCloudInit(request);
    const daemon = JSON.parse(file(text, '/etc/docker/daemon.json'));
    expect(daemon).toMatchObject({ tlsverify: true, hosts: ['fd://', 'tcp://0.0.0.0:2376'] });
    const dropIn = file(text, '/etc/systemd/system/docker.service.d/berth.conf');
    expect(dropIn).toContain(`ConditionPathExists=${daemon.tlscert}`);
    expect(dropIn).toMatch(/^ExecStart=$/m);
    expect(file(text, '/etc/docker/tls/ca.pem')).toBe(request.engineCaCertificate);
  });

  it('has no program carry what containers send past the rules, but to an owner’s Docker host', () => {
    const of = (byHand: boolean) =>
      JSON.parse(file(renderCloudInit({ ...request, byHand }), '/etc/docker/daemon.json'))['userland-proxy'];
    expect([of(false), of(true)]).toEqual([false, true]);
  });

  it.each([
    ['10.20.0.0/16', '172.20.0.1/16'],
    ['172.20.0.0/16', '192.168.128.1/17'],
  ])('gives containers another network than %s', (network, bip) => {
    const daemon = JSON.parse(file(renderCloudInit({ ...request, network }), '/etc/docker/daemon.json'));
    expect(daemon.bip).toBe(bip);
  });

  it('tells the agent who it is and whom to ask', () => {
    const text = renderCloudInit(request);
    expect(JSON.parse(file(text, '/etc/berth/agent.json'))).toEqual({ app: request.appUrl, machine: 'm1' });
    expect(file(text, '/usr/local/lib/berth/agent.py')).toBe(agentScript);
  });

  it('that is too large is refused here, not by Azure', () => {
    const engineCaCertificate = 'x'.repeat(70_000);
    expect(() => renderCloudInit({ ...request, engineCaCertificate })).toThrow(/65535/);
  });
});
