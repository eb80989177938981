import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activeMachine } from '../../../../cli/machine/active-machine.ts';
import { contextName, writeContext } from '../../../../cli/machine/docker-context.ts';
import { machineOf } from './machine-of.ts';

const installation = 'https://berth.example';
const machines = [
  machineOf({ name: 'x', publicAddress: '192.0.2.7' }),
  machineOf({ name: 'y', address: '10.0.0.5' }),
];

describe('the machine that docker works with', () => {
  let docker: string;
  beforeAll(() => {
    docker = mkdtempSync(join(tmpdir(), 'berth-active-'));
    const tls = { ca: '', cert: '', key: '' };
    for (const { name } of machines)
      writeContext(docker, { name: contextName(name), host: 'tcp://h:2376', installation }, tls);
    writeContext(
      docker,
      { name: 'berth-z', host: 'tcp://h:2376', installation: 'https://other.example' },
      tls,
    );
    writeFileSync(join(docker, 'config.json'), '{"currentContext": "berth-y"}');
  });
  afterAll(() => rmSync(docker, { recursive: true }));

  it.each([
    [{ DOCKER_HOST: 'tcp://192.0.2.7:2376' }, 'x'],
    [{ DOCKER_HOST: 'tcp://10.0.0.5:2376', DOCKER_CONTEXT: 'berth-x' }, 'y'],
    [{ DOCKER_HOST: 'tcp://10.0.0.55:2376' }, undefined],
    [{ DOCKER_HOST: 'unix:///var/run/docker.sock' }, undefined],
    [{ DOCKER_CONTEXT: 'berth-x' }, 'x'],
    [{ DOCKER_CONTEXT: 'default' }, undefined],
    [{ DOCKER_CONTEXT: 'berth-z' }, undefined],
    [{}, 'y'],
  ])('with %j is %s', (variables, name) =>
    expect(activeMachine(machines, variables, docker, installation)?.name).toBe(name),
  );
});
