import { describe, expect, it } from 'vitest';
import { readDockerfile } from '../../../shared/compose/dockerfile.ts';

describe('what a Dockerfile says of how its image runs', () => {
  it.each<[string, object]>([
    ['FROM x\nEXPOSE 80 443/tcp 53/udp 80', { ports: [80, 443] }],
    ['FROM x\nARG PORT=3000\nEXPOSE $PORT', { ports: [3000] }],
    ['FROM x\nENV PORT 3000\nEXPOSE ${PORT}', { ports: [3000] }],
    ['FROM x\nEXPOSE ${PORT:-81}', { ports: [81] }],
    ['FROM x\nEXPOSE $UNKNOWN', { ports: [] }],
    ['FROM x\nSTOPSIGNAL SIGQUIT', { ports: [], stopSignal: 'SIGQUIT' }],
    ['FROM x\nCMD ["a",\\\n  "b"]\nENTRYPOINT /e', { ports: [], command: '["a",   "b"]', entrypoint: '/e' }],
    [
      'FROM x\nHEALTHCHECK --interval=5s --timeout=2s --start-period=1m --retries=4 CMD curl -f http://localhost/ || exit 1',
      {
        ports: [],
        health: {
          command: ['/bin/sh', '-c', 'curl -f http://localhost/ || exit 1'],
          interval: 5,
          timeout: 2,
          deadline: 80,
        },
      },
    ],
    ['FROM x\nHEALTHCHECK CMD ["a", "b"]', { ports: [], health: { command: ['a', 'b'] } }],
    ['FROM x\nHEALTHCHECK CMD a\nHEALTHCHECK NONE', { ports: [] }],
    ['FROM a AS build\nEXPOSE 1\nFROM b\nEXPOSE 2', { ports: [2] }],
    [
      'FROM a AS base\nEXPOSE 1\nFROM x\nEXPOSE 9\nFROM --platform=linux/amd64 base\nEXPOSE 2',
      { ports: [1, 2] },
    ],
    ['# EXPOSE 1\nfrom x\n  expose 2 \n', { ports: [2] }],
    ['', { ports: [] }],
  ])('%j', (text, expected) => expect(readDockerfile(text)).toEqual(expected));
});
