import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { customScriptRun } from '../../../../shared/machines/run/custom-script-run.ts';
import { type CustomScript, customScript } from '../../../../shared/model/custom-script.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const parsed = (settings: unknown, hidden?: unknown, os: 'linux' | 'windows' = 'linux'): CustomScript => {
  const found = customScript(settings, hidden, os);
  if ('faults' in found) throw new Error(JSON.stringify(found.faults));
  return found.script;
};
const unsigned = (url: string) => url;

describe('settings of the CustomScript extension', () => {
  it.each<[string, unknown, unknown, 'linux' | 'windows', string]>([
    ['nothing to run', {}, {}, 'linux', 'settings.commandToExecute: expected commandToExecute or script'],
    ['both kinds', { commandToExecute: 'a', script: base64('b') }, {}, 'linux', 'settings.script: excludes'],
    [
      'both halves',
      { commandToExecute: 'a' },
      { commandToExecute: 'b' },
      'linux',
      'stands in the protected settings',
    ],
    ['a script that is plain text', { script: 'echo hi' }, {}, 'linux', 'settings.script: expected base64'],
    [
      'a script on Windows',
      {},
      { script: base64('x') },
      'windows',
      'protectedSettings.script: is known on Linux only',
    ],
    [
      'a large script',
      { script: 'A'.repeat(400_000) },
      {},
      'linux',
      'settings.script: expected at most 256 KB',
    ],
    ['an account without key', { commandToExecute: 'a' }, { storageAccountName: 'x' }, 'linux', 'together'],
    [
      'an account and an identity',
      { commandToExecute: 'a' },
      { storageAccountName: 'x', storageAccountKey: base64('k'), managedIdentity: {} },
      'linux',
      'managedIdentity: excludes',
    ],
    [
      'two names of an identity',
      { commandToExecute: 'a' },
      { managedIdentity: { clientId: 'a', objectId: 'b' } },
      'linux',
      'clientId or objectId, not both',
    ],
    [
      'a timestamp that is text',
      { commandToExecute: 'a', timestamp: '1' },
      {},
      'linux',
      'settings.timestamp:',
    ],
    ['a member that nobody knows', { commandToExecute: 'a', fileURIs: [] }, {}, 'linux', 'fileURIs'],
    [
      'a file that has no address',
      { commandToExecute: 'a', fileUris: ['x.sh'] },
      {},
      'linux',
      'settings.fileUris.0: expected an http',
    ],
    [
      'line ends on Windows',
      { commandToExecute: 'a', skipDos2Unix: true },
      {},
      'windows',
      'settings.skipDos2Unix',
    ],
  ])('refuses %s', (_what, settings, hidden, os, words) => {
    const found = customScript(settings, hidden, os);
    const text =
      'faults' in found ? found.faults.map(({ at, message }) => `${at}: ${message}`).join('; ') : '';
    expect(text).toContain(words);
  });

  it('says every fault at once', () => {
    const found = customScript({ fileUris: [] }, { fileUris: [], storageAccountKey: base64('k') }, 'linux');
    expect('faults' in found && found.faults.map(({ at }) => at)).toEqual([
      'settings.fileUris',
      'settings.commandToExecute',
      'protectedSettings.storageAccountName',
    ]);
  });
});

describe('as a script for Run Command, on Linux', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-custom-script-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  /** As a machine does it, with its folders under ours. */
  const run = (settings: CustomScript) =>
    new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
      const { script, protectedParameters } = customScriptRun(settings, 'linux', unsigned);
      const given = Object.fromEntries(protectedParameters.map(({ name, value }) => [name, value]));
      const file = join(folder, 'run.sh');
      writeFileSync(file, script.replaceAll('/var/lib/waagent', folder));
      const child = spawn('bash', [file], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'], ...given },
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      child.on('close', (status) => resolve({ status, stdout, stderr }));
    });

  it('runs the command where the extension would, each time in a new folder, and shows it no settings', async () => {
    const settings = parsed({}, { commandToExecute: 'pwd; env | grep -c BERTH_; exit 3' });
    expect(await run(settings)).toMatchObject({
      status: 3,
      stdout: `${folder}/custom-script/download/0\n0\n`,
    });
    expect((await run(settings)).stdout).toContain('download/1\n');
  });

  it('nothing of the settings stands in the script, which ARM shows', () => {
    const { script } = customScriptRun(parsed({ commandToExecute: 'swordfish' }), 'linux', unsigned);
    expect(script).not.toContain('swordfish');
    expect(script).not.toContain(base64('swordfish'));
  });

  it('a script in base64, also packed, loses the line ends of Windows', async () => {
    const text = '#!/bin/bash\r\necho "$(readlink /proc/$$/exe)" | grep -o bash\r\n';
    expect((await run(parsed({ script: base64(text) }))).stdout).toBe('bash\n');
    const packed = gzipSync(text).toString('base64');
    expect((await run(parsed({}, { script: packed }))).stdout).toBe('bash\n');
    expect((await run(parsed({ script: base64(text), skipDos2Unix: true }))).status).not.toBe(0);
  });

  it('a script larger than a variable may be', async () => {
    const large = `#!/bin/bash\n# ${'x'.repeat(200_000)}\necho large\n`;
    expect((await run(parsed({ script: base64(large) }))).stdout).toBe('large\n');
  });

  it('fetches files first; one that is not there ends it with a reason', async () => {
    const server = createServer((request, response) => {
      if (request.url?.startsWith('/a%20b.sh')) response.end('#!/bin/sh\r\necho fetched\r\n');
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address() as { port: number };
    const at = `http://127.0.0.1:${address.port}`;
    try {
      const fine = parsed({ fileUris: [`${at}/a%20b.sh?sig=x`], commandToExecute: './a\\ b.sh' });
      expect(await run(fine)).toMatchObject({ status: 0, stdout: 'fetched\n' });
      const missing = await run(
        parsed({ fileUris: [`${at}/none.sh?sig=secret`], commandToExecute: 'echo no' }),
      );
      expect(missing).toMatchObject({ status: 1, stdout: '' });
      expect(missing.stderr).toContain(`${at}/none.sh could not be fetched: HTTP Error 404`);
      expect(missing.stderr).not.toContain('secret');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    expect(readFileSync(join(folder, 'custom-script/download/0/a b.sh'), 'utf8')).not.toContain('\r');
  });

  it('storage alone is shown an identity or a signature', () => {
    const files = (hidden: object) => {
      const fileUris = ['https://a.blob.core.windows.net/c/x.sh', 'https://example.com/y.sh'];
      const { protectedParameters } = customScriptRun(
        parsed({ fileUris, commandToExecute: 'x' }, hidden),
        'linux',
        (url, { name, key }) => `${url}?sig=${name}-${key}`,
      );
      const text = protectedParameters.find(({ name }) => name === 'BERTH_FILES_0')?.value ?? '';
      return JSON.parse(Buffer.from(text, 'base64').toString());
    };
    expect(files({ managedIdentity: { clientId: 'c' } })).toEqual([
      { url: 'https://a.blob.core.windows.net/c/x.sh', name: 'x.sh', identity: 'client_id=c' },
      { url: 'https://example.com/y.sh', name: 'y.sh' },
    ]);
    expect(files({ storageAccountName: 'a', storageAccountKey: 'aaaa' })[0].url).toBe(
      'https://a.blob.core.windows.net/c/x.sh?sig=a-aaaa',
    );
  });
});

describe('as a script for Run Command, on Windows', () => {
  const rendered = customScriptRun(
    parsed(
      { fileUris: ['https://example.com/a.ps1'] },
      { commandToExecute: 'powershell -File a.ps1' },
      'windows',
    ),
    'windows',
    unsigned,
  );

  it('takes what it needs as parameters and ends with the exit code of its command', () => {
    expect(rendered.protectedParameters.map(({ name }) => name)).toEqual([
      'BERTH_FILES_0',
      'BERTH_COMMAND_0',
    ]);
    const lines = rendered.script.split('\n');
    expect(lines[0]).toBe('param([string]$BERTH_FILES_0, [string]$BERTH_COMMAND_0)');
    expect(lines.slice(-4)).toEqual([
      '$command = Text ($BERTH_COMMAND_0)',
      '& $env:ComSpec /c $command',
      'exit $LASTEXITCODE',
      '',
    ]);
    expect(rendered.script).not.toContain('a.ps1');
  });

  it('every bracket and quotation mark of it is closed', () => {
    // Strings first: single-quoted ones hold nothing, '' is a quotation mark.
    const bare = rendered.script.replaceAll(/'(?:[^']|'')*'/g, '');
    expect(bare).not.toContain("'");
    const open: string[] = [];
    const closes: Record<string, string> = { ')': '(', '}': '{', ']': '[' };
    for (const character of bare) {
      if ('({['.includes(character)) open.push(character);
      else if (character in closes) expect(open.pop()).toBe(closes[character]);
    }
    expect(open).toEqual([]);
  });

  it.skipIf(spawnSync('pwsh', ['-v']).status !== 0)('is read by PowerShell itself', () => {
    const check =
      '$errors = $null; [void][Management.Automation.Language.Parser]::ParseInput($input, [ref]$null, [ref]$errors); $errors.Count';
    expect(execFileSync('pwsh', ['-c', check], { input: rendered.script, encoding: 'utf8' }).trim()).toBe(
      '0',
    );
  });
});
