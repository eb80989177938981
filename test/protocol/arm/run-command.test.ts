import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryMachineRuntime } from '../../../infra/local/machine-runtime/machine-runtime.memory.ts';
import { startTestArm, type TestArm } from '../../support/arm.ts';
import { until } from '../../support/conditions.ts';
import { programsIn } from '../../support/machine-programs.ts';
import { makeVm, settled, vmPath } from './resources.ts';

/** Empty for a process that has ended, also where nobody has asked how. */
const commandOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};

describe('ARM: scripts in machines', () => {
  let arm: TestArm;
  let folder: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'berth-programs-'));
    arm = await startTestArm({ runtime: memoryMachineRuntime(programsIn(folder)) });
    await makeVm(arm, 'vm');
  });
  afterEach(async () => {
    await arm?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const path = (name: string) => `${vmPath('vm')}/runCommands/${name}`;
  const body = (script: string, properties: object = {}) => ({
    location: 'westeurope',
    properties: { source: { script }, ...properties },
  });
  const view = async (name: string) =>
    (await arm.call('GET', `${path(name)}?$expand=instanceView`)).body?.properties;
  /** Looks until it has ended; the machine's agent says when. */
  const ended = async (name: string) => {
    for (;;) {
      const { instanceView } = await view(name);
      if (!['Pending', 'Running'].includes(instanceView.executionState)) return instanceView;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  it('a script runs with its parameters; its end is shown, and nothing that is protected', async () => {
    const script = 'echo "$1-$colour-$password"; echo oh >&2; exit 3';
    const { first, status } = await settled(
      arm,
      'PUT',
      path('one'),
      body(script, {
        parameters: [
          { name: '', value: 'word' },
          { name: 'colour', value: 'green' },
        ],
        protectedParameters: [{ name: 'password', value: 'swordfish' }],
        outputBlobUri: undefined,
      }),
    );
    expect(first).toMatchObject({ status: 201, body: { properties: { provisioningState: 'Creating' } } });
    expect(status).toBe('Succeeded');
    const shown = await view('one');
    expect(shown).toMatchObject({
      provisioningState: 'Succeeded',
      instanceView: {
        executionState: 'Failed',
        exitCode: 3,
        output: 'word-green-swordfish\n',
        error: 'oh\n',
        startTime: expect.any(String),
        endTime: expect.any(String),
      },
    });
    expect(JSON.stringify((await arm.call('GET', path('one'))).body)).not.toContain('swordfish');
    expect((await arm.call('GET', `${vmPath('vm')}/runCommands`)).body.value).toHaveLength(1);
    // Nor is it left in the machine, once the script has it.
    const left = readFileSync(
      join(folder, 'vm/var/lib/waagent/run-command-handler/download/one/1/request'),
      'utf8',
    );
    expect(left).not.toContain('swordfish');
  });

  it('treatFailureAsDeploymentFailure: the failure of the script is that of the operation', async () => {
    const { status, error } = await settled(
      arm,
      'PUT',
      path('one'),
      body('exit 7', { treatFailureAsDeploymentFailure: true }),
    );
    expect(status).toBe('Failed');
    expect(error).toMatchObject({
      code: 'VMExtensionProvisioningError',
      message: expect.stringContaining('exit status=7'),
    });
    expect(await view('one')).toMatchObject({ provisioningState: 'Failed', instanceView: { exitCode: 7 } });
  });

  it('asyncExecution: the operation ends while the script goes on; only the end of its output is kept', async () => {
    const script = `until [ -e ${folder}/go ]; do sleep 0.05; done; head -c 10000 /dev/zero | tr '\\0' x; echo end`;
    const { status } = await settled(arm, 'PUT', path('one'), body(script, { asyncExecution: true }));
    expect(status).toBe('Succeeded');
    expect((await view('one')).instanceView).toMatchObject({ executionState: 'Running' });
    await programsIn(folder)('vm', { command: ['touch', `${folder}/go`] });
    const { executionState, output } = await ended('one');
    expect(executionState).toBe('Succeeded');
    expect(output).toHaveLength(4096);
    expect(output.endsWith('xend\n')).toBe(true);
  });

  it('the end of a script is known when its machine is off already; the same name again ends what went on', async () => {
    const running = { asyncExecution: true };
    await settled(arm, 'PUT', path('one'), body(`echo $$ > ${folder}/pid; sleep 60`, running));
    await settled(arm, 'PUT', path('one'), body('echo other; exit 2', running));
    expect(commandOf(readFileSync(join(folder, 'pid'), 'utf8').trim())).toBe('');
    await until('it has ended', async () => (await view('one')).instanceView.exitCode === 2);
    await settled(arm, 'POST', `${vmPath('vm')}/deallocate`);
    expect((await view('one')).instanceView).toMatchObject({ exitCode: 2, output: 'other\n' });
  });

  it('a script that takes too long is ended, and what it started with it', async () => {
    const script = `sleep 60 & echo $! > ${folder}/child; wait`;
    await settled(arm, 'PUT', path('one'), body(script, { timeoutInSeconds: 1 }));
    expect((await view('one')).instanceView).toMatchObject({ executionState: 'TimedOut', exitCode: -1 });
    const child = readFileSync(join(folder, 'child'), 'utf8').trim();
    expect(commandOf(child)).toBe('');
  });

  it('deleting one that runs cancels it', async () => {
    const put = await arm.call('PUT', path('one'), body(`echo $$ > ${folder}/pid; sleep 60`));
    expect(put.status).toBe(201);
    while (!existsSync(join(folder, 'pid'))) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await arm.call('DELETE', path('one'))).status).toBe(202);
    // Who looks meanwhile must not spare it.
    await Promise.all([arm.idle(), view('one'), view('one')]);
    const pid = readFileSync(join(folder, 'pid'), 'utf8').trim();
    expect(commandOf(pid)).toBe('');
    expect((await arm.call('GET', path('one'))).status).toBe(404);
    const poll = new URL(put.headers.get('azure-asyncoperation')!);
    expect((await arm.call('GET', poll.pathname + poll.search)).body.status).toBe('Canceled');
    expect((await arm.call('DELETE', path('one'))).status).toBe(204);
  });

  it('the 26th is refused', async () => {
    const state = JSON.stringify({ state: 'Running', exitCode: 0, message: '' });
    const idle = memoryMachineRuntime(async () => ({ exitCode: 0, stdout: state, stderr: '' }));
    const full = await startTestArm({ runtime: idle });
    try {
      await makeVm(full, 'vm');
      for (let index = 0; index < 25; index += 1)
        expect(
          (await full.call('PUT', path(`n${index}`), body('true', { asyncExecution: true }))).status,
        ).toBe(201);
      expect(await full.call('PUT', path('more'), body('true'))).toMatchObject({
        status: 409,
        body: { error: { message: expect.stringContaining('max=25, current=25') } },
      });
      await settled(full, 'DELETE', path('n3'));
      expect((await full.call('PUT', path('more'), body('true', { asyncExecution: true }))).status).toBe(201);
    } finally {
      await full.close();
    }
  });

  it('refuses what Azure refuses', async () => {
    const refused = async (given: object) => (await arm.call('PUT', path('one'), given)).body.error;
    expect(await refused({ location: 'westeurope', properties: {} })).toMatchObject({
      message: expect.stringContaining('Exactly one of'),
    });
    expect(await refused(body('true', { timeoutInSeconds: 'long' }))).toMatchObject({
      code: 'InvalidRequestContent',
    });
    expect(await refused({ properties: { source: { script: 'true' } } })).toMatchObject({
      message: expect.stringContaining('location'),
    });
    await settled(arm, 'POST', `${vmPath('vm')}/deallocate`);
    expect(await refused(body('true'))).toMatchObject({
      code: 'OperationNotAllowed',
      message: 'Cannot modify extensions in the VM when the VM is not running.',
    });
  });

  it('a script goes on while the endpoint is away', async () => {
    const script = `until [ -e ${folder}/go ]; do sleep 0.05; done; echo done; exit 4`;
    const put = await arm.call('PUT', path('one'), body(script));
    expect(put.status).toBe(201);
    arm = await arm.restart();
    expect((await view('one')).instanceView).toMatchObject({ executionState: 'Running' });
    await programsIn(folder)('vm', { command: ['touch', `${folder}/go`] });
    await arm.idle();
    expect(await view('one')).toMatchObject({
      provisioningState: 'Succeeded',
      instanceView: { executionState: 'Failed', exitCode: 4, output: 'done\n' },
    });
  });

  it('a machine that was killed meanwhile ends it, with the reason', async () => {
    await arm.call('PUT', path('one'), body(`echo $$ > ${folder}/pid; sleep 60`, { asyncExecution: true }));
    const at = 'vm/var/lib/waagent/run-command-handler/download/one/1/process';
    for (;;) {
      try {
        const { group, runner } = JSON.parse(readFileSync(join(folder, at), 'utf8'));
        process.kill(runner, 'SIGKILL');
        process.kill(-group, 'SIGKILL');
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    expect(await ended('one')).toMatchObject({
      executionState: 'Failed',
      executionMessage: expect.stringContaining('restarted while it ran'),
    });
  });

  it('the older kind answers at its Location, one at a time', async () => {
    const action = `${vmPath('vm')}/runCommand`;
    const given = {
      commandId: 'RunShellScript',
      script: ['echo "$1 $name"', 'echo oh >&2'],
      parameters: [{ name: 'name', value: "it's" }],
    };
    const first = await arm.call('POST', action, given);
    expect(first.status).toBe(202);
    expect(await arm.call('POST', action, given)).toMatchObject({
      status: 409,
      body: { error: { code: 'Conflict', message: expect.stringContaining('in progress') } },
    });
    await arm.idle();
    const location = new URL(first.headers.get('location')!);
    expect((await arm.call('GET', location.pathname + location.search)).body).toEqual({
      value: [
        {
          code: 'ProvisioningState/succeeded',
          level: 'Info',
          displayStatus: 'Provisioning succeeded',
          message: "Enable succeeded: \n[stdout]\nit's it's\n\n[stderr]\noh\n",
        },
      ],
    });
  });

  describe('the CustomScript extension', () => {
    const extension = (name: string) => `${vmPath('vm')}/extensions/${name}`;
    const settings = (given: object, hidden?: object) => ({
      location: 'westeurope',
      properties: {
        publisher: 'Microsoft.Azure.Extensions',
        type: 'CustomScript',
        typeHandlerVersion: '2.1',
        settings: given,
        ...(hidden === undefined ? {} : { protectedSettings: hidden }),
      },
    });

    it('runs its command, says how it went, and runs again only when something changed', async () => {
      const command = `echo x >> ${folder}/count; pwd`;
      const put = () =>
        settled(arm, 'PUT', extension('cse'), settings({ timestamp: 1 }, { commandToExecute: command }));
      expect((await put()).status).toBe('Succeeded');
      expect((await put()).status).toBe('Succeeded');
      expect(readFileSync(join(folder, 'count'), 'utf8')).toBe('x\n');
      const shown = (await arm.call('GET', `${extension('cse')}?$expand=instanceView`)).body;
      expect(JSON.stringify(shown)).not.toContain('count');
      expect(shown.properties.instanceView.statuses).toEqual([
        {
          code: 'ProvisioningState/succeeded',
          level: 'Info',
          displayStatus: 'Provisioning succeeded',
          message: expect.stringMatching(
            /^Enable succeeded: \n\[stdout\]\n\S+\/var\/lib\/waagent\/custom-script\/download\/1\n\n\[stderr\]\n$/,
          ),
        },
      ]);
      const status = 'vm/var/lib/waagent/Microsoft.Azure.Extensions.CustomScript-2.1.10/status/1.status';
      expect(JSON.parse(readFileSync(join(folder, status), 'utf8'))).toMatchObject([
        { version: 1, status: { operation: 'Enable', status: 'success' } },
      ]);
      expect(readFileSync(join(folder, 'vm/var/log/azure/custom-script/handler.log'), 'utf8')).toContain(
        'event=end',
      );
      expect((await settled(arm, 'DELETE', extension('cse'))).status).toBe('Succeeded');
    });

    it('a script as base64 and gzip; what fails, fails the extension', async () => {
      const { gzipSync } = await import('node:zlib');
      const script = gzipSync('#!/bin/sh\r\necho packed\r\nexit 5\r\n').toString('base64');
      const { status, error } = await settled(arm, 'PUT', extension('cse'), settings({ script }));
      expect(status).toBe('Failed');
      expect(error.message).toContain('exit status=5');
      expect(error.message).toContain('[stdout]\npacked\n');
    });

    it('refuses settings that contradict each other, and a second of its kind', async () => {
      const { error } = await settled(
        arm,
        'PUT',
        extension('cse'),
        settings({ commandToExecute: 'a' }, { commandToExecute: 'b' }),
      );
      expect(error.message).toContain('settings.commandToExecute: stands in the protected settings too');
      const { first } = await settled(arm, 'PUT', extension('other'), settings({ commandToExecute: 'a' }));
      expect(first.body.error.message).toContain('Multiple VMExtensions per handler');
    });
  });
});
