import { describe, expect, test } from 'vitest';
import { blockSizeFor, blocksOf } from '../../../shared/registry/direct/blocks.ts';
import { describeConfig } from '../../../shared/registry/images/describe.ts';

describe('configurations', () => {
  test('are shown without the values of variables', () => {
    const config = {
      created: '2026-01-01T00:00:00Z',
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      config: {
        Entrypoint: ['/web'],
        Cmd: null,
        Env: ['PATH=/bin', 'KEY=a=b'],
        ExposedPorts: { '80/tcp': {} },
      },
    };
    expect(describeConfig(config)).toEqual({
      created: '2026-01-01T00:00:00Z',
      platform: 'linux/arm64/v8',
      entrypoint: ['/web'],
      command: [],
      environment: ['PATH', 'KEY'],
      ports: ['80/tcp'],
      labels: {},
    });
  });

  test.each([{}, { config: null }, { config: { Env: null } }])('may lack anything: %j', (config) => {
    expect(describeConfig(config)).toMatchObject({ environment: [], entrypoint: [] });
  });

  test.each(['text', { config: { Env: 'x' } }, null])('are not guessed at: %j', (config) => {
    expect(describeConfig(config)).toBeUndefined();
  });
});

describe('blocks of a direct upload', () => {
  test.each([1, 8_388_608, 8_388_609, 500_000_000_000, 200_000_000_000_000])('cover %i bytes', (size) => {
    const blockSize = blockSizeFor(size);
    const blocks = blocksOf({ size, blockSize });
    expect(blocks.length).toBeLessThanOrEqual(50_000);
    expect(blocks.reduce((sum, block) => sum + block.size, 0)).toBe(size);
    expect(new Set(blocks.map(({ id }) => id)).size).toBe(blocks.length);
    expect(new Set(blocks.map(({ id }) => id.length)).size).toBe(1);
    expect(blocks.at(-1)).toMatchObject({ offset: (blocks.length - 1) * blockSize });
  });
});
