import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { renderCloudInit } from '../../../shared/machines/cloud-init.ts';
import { becomeImage, renderBuilderCloudInit } from '../../../shared/machines/golden/builder-cloud-init.ts';
import { builderWord } from '../../../shared/machines/golden/builder-console.ts';
import { profileOf } from '../../../shared/machines/golden/profile.ts';
import { wantedImages } from '../../../shared/machines/golden/wanted-images.ts';
import { PoolSpec } from '../../../shared/model/pool.ts';

const Config = z.looseObject({
  write_files: z.array(z.object({ path: z.string() })),
  packages: z.array(z.string()).optional(),
});
const configOf = (text: string) => Config.parse(parse(text));
const paths = (text: string): string[] => configOf(text).write_files.map(({ path }) => path);
const own = {
  machine: 'default-k3x9bc',
  appUrl: 'https://app.example.org',
  engineCaCertificate: 'PEM',
  network: '10.20.0.0/16',
  image: 'Debian:debian-13:13-gen2:latest',
};

describe('a golden image', () => {
  it('and the customData of machines that boot from it hold together what a machine installs by itself', () => {
    const image = paths(renderBuilderCloudInit(own.image)).filter((path) => !path.includes('become-image'));
    const golden = paths(renderCloudInit({ ...own, installed: true }));
    expect([...image, ...golden].sort()).toEqual(paths(renderCloudInit(own)).sort());
    expect(configOf(renderCloudInit({ ...own, installed: true })).packages).toBeUndefined();
    expect(renderCloudInit({ ...own, installed: true })).not.toContain('package_update');
  });

  it('holds nothing of any one machine', () => {
    const text = renderBuilderCloudInit(own.image);
    for (const secret of ['/etc/berth/agent.json', '/etc/docker/tls', '/etc/docker/daemon.json'])
      expect(paths(text)).not.toContain(secret);
    expect(Buffer.byteLength(text)).toBeLessThan(65_535);
  });

  it('is another one for another base image', () => {
    const profile = profileOf({ image: 'Debian:debian-12:12-gen2:latest' });
    expect(profile).toMatch(/^[0-9a-f]{16}$/);
    expect(profileOf({ image: 'Debian:debian-12:12-gen2:latest' })).toBe(profile);
    expect(profileOf({ image: 'Debian:debian-13:13-gen2:latest' })).not.toBe(profile);
  });

  it('is one for all pools of the same base image', () => {
    const pool = (changes: object) => PoolSpec.parse({ golden: true, ...changes });
    const [first, ...more] = wantedImages([
      pool({ sizes: ['Standard_B2s'] }),
      pool({ sizes: ['Standard_D2s_v5', 'Standard_B2s'] }),
      pool({ golden: false, image: 'a:b:c:d' }),
    ]);
    expect(more).toEqual([]);
    expect(first?.sizes).toEqual(['Standard_B2s', 'Standard_D2s_v5']);
  });
});

describe('the word of a machine that becomes an image', () => {
  it('is read out of its console', () => {
    expect(builderWord(undefined)).toEqual({ word: 'nothing' });
    expect(builderWord('[  OK  ] Started\r\nberth: this machine is clean and becomes an image\r\n')).toEqual({
      word: 'clean',
    });
    expect(
      builderWord('berth: this machine cannot become an image: cloud-init reported errors: apt\r\nlogin:'),
    ).toEqual({ word: 'unfit', reason: 'cloud-init reported errors: apt' });
  });

  it('comes from a script that a shell understands', () => {
    execFileSync('sh', ['-n'], { input: becomeImage });
  });
});
