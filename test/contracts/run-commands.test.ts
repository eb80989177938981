import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryMachineRuntime } from '../../infra/local/machine-runtime/machine-runtime.memory.ts';
import { armClients } from '../../shared/machines/arm-clients.azure.ts';
import { azureRunCommands } from '../../shared/machines/run/run-commands.azure.ts';
import { memoryRunCommands } from '../../shared/machines/run/run-commands.memory.ts';
import type { ManagedCommand, RunCommands } from '../../shared/machines/run/run-commands.ts';
import { makeVm } from '../protocol/arm/resources.ts';
import { credential, startTestArm } from '../support/arm.ts';
import { until } from '../support/conditions.ts';
import { programsIn } from '../support/machine-programs.ts';

interface Subject {
  readonly commands: RunCommands;
  /** What the machine does with a command of this script. */
  ends(name: string, exitCode: number): Promise<void>;
  close(): Promise<void>;
}

const subjects: Record<string, () => Promise<Subject>> = {
  async memory() {
    const commands = memoryRunCommands();
    commands.addVm('vm');
    return {
      commands,
      async ends(name, exitCode) {
        commands.change('vm', name, {
          state: exitCode === 0 ? 'Succeeded' : 'Failed',
          exitCode,
          output: 'done\n',
        });
      },
      close: async () => {},
    };
  },
  async 'Azure SDK against the local endpoint'() {
    const folder = mkdtempSync(join(tmpdir(), 'berth-programs-'));
    const arm = await startTestArm({ runtime: memoryMachineRuntime(programsIn(folder)) });
    await makeVm(arm, 'vm');
    return {
      commands: azureRunCommands(armClients(arm.settings, credential)),
      async ends(name, exitCode) {
        await programsIn(folder)('vm', { command: ['sh', '-c', `echo ${exitCode} > /tmp/end-${name}`] });
      },
      async close() {
        await arm.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

/** Waits until it is told how to end. */
const command = (name: string): ManagedCommand => ({
  script: `until [ -s /tmp/end-${name} ]; do sleep 0.05; done; echo done; code=$(cat /tmp/end-${name}); rm /tmp/end-${name}; exit $code`,
  parameters: [{ name: 'colour', value: 'green' }],
  protectedParameters: [{ name: 'password', value: 'swordfish' }],
  timeout: 60,
  stdoutUrl: '',
  stderrUrl: '',
});

describe.each(Object.entries(subjects))('run commands: %s', (_name, open) => {
  let subject: Subject;
  let commands: RunCommands;
  beforeEach(async () => {
    subject = await open();
    commands = subject.commands;
  });
  afterEach(() => subject.close());
  /** Both ends are on one computer. */
  const name = `c${process.pid}`;

  it('tells the operating system of a VM', async () => {
    expect(await commands.osOf('vm')).toBe('linux');
    expect(await commands.osOf('nothing')).toBeUndefined();
  });

  it('begins, goes on, ends with its exit code, and is removed', async () => {
    expect(await commands.look('vm', name)).toBeUndefined();
    expect(await commands.begin('vm', name, command(name))).toEqual({ status: 'begun' });
    await until('it runs', async () => (await commands.look('vm', name))?.state === 'Running');
    await subject.ends(name, 3);
    const view = await until('it has ended', async () => {
      const found = await commands.look('vm', name);
      return found?.state === 'Running' ? undefined : found;
    });
    expect(view).toMatchObject({ provisioning: 'Succeeded', state: 'Failed', exitCode: 3, output: 'done\n' });
    await commands.remove('vm', name);
    await until('it is gone', async () => (await commands.look('vm', name)) === undefined);
    await commands.remove('vm', name);
  });

  it('is ended by its removal', async () => {
    await commands.begin('vm', name, command(name));
    await commands.remove('vm', name);
    await until('it is gone', async () => (await commands.look('vm', name)) === undefined);
  });

  it('a VM that is not there is a refusal', async () => {
    expect(await commands.begin('nothing', name, command(name))).toMatchObject({
      status: 'refused',
      code: 'ResourceNotFound',
    });
    expect(await commands.look('nothing', name)).toBeUndefined();
    await commands.remove('nothing', name);
  });
});
