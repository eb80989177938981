import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failure } from '../../../cli/failure.ts';
import { duration } from '../../../cli/machine/duration.ts';
import { byLine, exitCodeOf } from '../../../cli/machine/follow-run.ts';
import { type RunOptions, runRequest, splitWords } from '../../../cli/machine/run-request.ts';
import type { MachineRun } from '../../../shared/model/machine-run.ts';

describe('berth machine run', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-run-request-'));
    writeFileSync(join(folder, 'a.sh'), 'echo a\n');
    writeFileSync(join(folder, 'settings.json'), '{"commandToExecute":"x"}');
    writeFileSync(join(folder, 'broken.json'), '{');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string) => join(folder, name);
  const request = (machines: string[], command: string[] | undefined, options: RunOptions = {}, env = {}) =>
    runRequest(machines, command, options, env);
  const refusal = (...given: Parameters<typeof request>) => {
    try {
      request(...given);
    } catch (error) {
      return `${(error as Failure).exitCode} ${(error as Failure).message}`;
    }
    return 'nothing';
  };

  it('words before -- are machines, those after it the command', () => {
    expect(splitWords(['a', 'b', 'ls', '-l'], ['node', 'berth', 'run', 'a', 'b', '--', 'ls', '-l'])).toEqual({
      machines: ['a', 'b'],
      command: ['ls', '-l'],
    });
    expect(splitWords(['a', 'x', '--', 'y'], ['a', '--', 'x', '--', 'y'])).toEqual({
      machines: ['a'],
      command: ['x', '--', 'y'],
    });
    expect(splitWords(['a'], ['a'])).toEqual({ machines: ['a'], command: undefined });
  });

  it('asks for what was said', () => {
    expect(request(['a'], ['id'], { timeout: 5 })).toEqual({
      on: { machines: ['a'] },
      command: ['id'],
      parameters: {},
      protectedParameters: {},
      timeout: 5,
    });
    expect(
      request(
        [],
        undefined,
        {
          script: at('a.sh'),
          pool: 'web',
          label: ['disk=fast'],
          parameter: ['a=b=c'],
          protectedParameter: ['token', 'key=k'],
          asUser: 'berth',
        },
        { token: 't', BERTH_RUN_PASSWORD: 'p' },
      ),
    ).toEqual({
      on: { pool: 'web', labels: { disk: 'fast' } },
      script: 'echo a\n',
      name: 'a.sh',
      parameters: { a: 'b=c' },
      protectedParameters: { token: 't', key: 'k' },
      user: 'berth',
      password: 'p',
    });
    expect(request(['a'], undefined, { settings: at('settings.json') })).toMatchObject({
      customScript: { settings: { commandToExecute: 'x' } },
    });
  });

  it('says what is wrong, with 2', () => {
    expect(refusal(['a', 'uptime'], undefined)).toMatch(/^2 Expected one of: -- command/);
    expect(refusal(['a'], ['x'], { script: at('a.sh') })).toMatch(/^2 Expected one of/);
    expect(refusal([], ['x'])).toMatch(/^2 Expected machines, or --pool/);
    expect(refusal(['a'], ['x'], { pool: 'p' })).toMatch(/^2 Expected machines, or --pool/);
    expect(refusal(['a'], undefined, { script: at('none.sh') })).toContain('ENOENT');
    expect(refusal(['a'], undefined, { settings: at('broken.json') })).toContain('is not JSON');
    expect(refusal(['a'], ['x'], { parameter: ['x'] })).toContain('expected name=value');
    expect(refusal(['a'], ['x'], { protectedParameter: ['NONE'] })).toContain('the environment has no NONE');
  });

  it('reads times', () => {
    expect(['90', '90s', '10m', '1h30m'].map(duration)).toEqual([90, 90, 600, 5400]);
    for (const text of ['', '0', 'm', '1d', '1.5h', '10m5'])
      expect(() => duration(text)).toThrow('Expected a time');
  });

  it('ends as the command did', () => {
    const code = (status: object) => exitCodeOf({ status } as MachineRun);
    expect(code({ state: 'succeeded', exitCode: 0 })).toBe(0);
    expect(code({ state: 'failed', exitCode: 3 })).toBe(3);
    expect(code({ state: 'failed', exitCode: 256 })).toBe(1);
    expect(code({ state: 'failed' })).toBe(1);
    expect(code({ state: 'timed-out' })).toBe(124);
    expect(code({ state: 'canceled' })).toBe(130);
  });

  it('whole lines, also where a character came in two pieces', () => {
    const lines = byLine();
    const bytes = Buffer.from('a\nü');
    expect(lines.take(bytes.subarray(0, 3))).toEqual(['a']);
    expect(lines.take(Buffer.concat([bytes.subarray(3), Buffer.from('\nrest')]))).toEqual(['ü']);
    expect(lines.rest()).toEqual(['rest']);
  });
});
