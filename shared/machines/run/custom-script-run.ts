import { Buffer } from 'node:buffer';
import type { CustomScript } from '../../model/custom-script.ts';
import type { OperatingSystem } from '../../model/machine-run.ts';
import { fetchOnLinux, fetchOnWindows } from './fetch-files.ts';
import type { Parameter } from './run-commands.ts';
import type { Rendered } from './script.ts';

/** A file that the machine fetches before. */
interface FetchedFile {
  readonly url: string;
  readonly name: string;
  /** Query parameters that name a managed identity of the machine: its token is shown to storage, and to nobody else. */
  readonly identity?: string;
}

/** Bytes of one variable. */
const PART = 96_000;

/**
 * Settings of the CustomScript extension as a script for Run Command. Everything goes as protected parameters: what stands in
 * a run command's script can be read in ARM. Files and script lie where the extension would have put them. Pure.
 * @param sign adds the signature of a storage account's key to an address
 */
export function customScriptRun(
  settings: CustomScript,
  os: OperatingSystem,
  sign: (url: string, account: { readonly name: string; readonly key: string }) => string,
): Rendered {
  const files = settings.fileUris.map((url) => fileOf(url, settings, sign));
  const protectedParameters = [
    ...parts('BERTH_FILES', JSON.stringify(files)),
    ...parts('BERTH_COMMAND', settings.commandToExecute ?? ''),
    ...parts('BERTH_SCRIPT', settings.script ?? ''),
  ];
  const script = os === 'linux' ? onLinux(settings, protectedParameters) : onWindows(protectedParameters);
  return { script, parameters: [], protectedParameters };
}

function fileOf(
  given: string,
  { storageAccount, managedIdentity }: CustomScript,
  sign: Parameters<typeof customScriptRun>[2],
): FetchedFile {
  const url = new URL(given);
  const name = decodeURIComponent(url.pathname.split('/').at(-1) ?? '').replaceAll(/[\\/]/g, '_') || 'file';
  if (!isStorage(url) || url.searchParams.has('sig')) return { url: given, name };
  if (storageAccount !== undefined) return { url: sign(given, storageAccount), name };
  if (managedIdentity === undefined) return { url: given, name };
  const { clientId, objectId } = managedIdentity;
  const identity = new URLSearchParams({
    ...(clientId === undefined ? {} : { client_id: clientId }),
    ...(objectId === undefined ? {} : { object_id: objectId }),
  });
  return { url: given, name, identity: String(identity) };
}

/** Blob endpoints of Azure's clouds. https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-endpoints */
const isStorage = ({ hostname, protocol }: URL): boolean =>
  protocol === 'https:' &&
  /\.blob\.(core\.windows\.net|core\.chinacloudapi\.cn|core\.usgovcloudapi\.net|storage\.azure\.net)$/.test(
    hostname,
  );

function parts(name: string, text: string): Parameter[] {
  const bytes = Buffer.from(text).toString('base64');
  const found: Parameter[] = [];
  for (let at = 0; at < bytes.length; at += PART)
    found.push({ name: `${name}_${found.length}`, value: bytes.slice(at, at + PART) });
  return found;
}

const named = (parameters: readonly Parameter[], name: string): string[] =>
  parameters.map((one) => one.name).filter((one) => one.startsWith(`${name}_`));

function onLinux({ script, skipDos2Unix }: CustomScript, parameters: readonly Parameter[]): string {
  const value = (name: string) =>
    `"${named(parameters, name)
      .map((one) => `$${one}`)
      .join('')}"`;
  const all = parameters.map(({ name }) => name).join(' ');
  const run =
    script === undefined
      ? [
          `command="$(printf %s ${value('BERTH_COMMAND')} | base64 -d)"`,
          `unset ${all}`,
          'exec /bin/sh -c "$command"',
        ]
      : [
          `printf %s ${value('BERTH_SCRIPT')} | base64 -d | base64 -d > script.sh || exit 1`,
          'if [ "$(od -An -tx1 -N2 script.sh | tr -d \' \')" = 1f8b ]; then gzip -dc < script.sh > script.new && mv script.new script.sh || exit 1; fi',
          ...(skipDos2Unix ? [] : ["sed -i -e '1s/^\\xef\\xbb\\xbf//' -e 's/\\r$//' script.sh"]),
          `unset ${all}`,
          'chmod 700 script.sh',
          'exec ./script.sh',
        ];
  return [
    '#!/bin/bash',
    'umask 077',
    'folder=/var/lib/waagent/custom-script/download',
    'mkdir -p "$folder" || exit 1',
    'number=0; while ! mkdir "$folder/$number" 2> /dev/null; do number=$((number + 1)); done',
    'cd "$folder/$number" || exit 1',
    `export BERTH_FILES="$(printf %s ${value('BERTH_FILES')} | base64 -d)"`,
    `export BERTH_CONVERT=${skipDos2Unix ? 'no' : 'yes'}`,
    `python3 - <<'BERTH_END' || exit 1\n${fetchOnLinux}BERTH_END`,
    'unset BERTH_FILES BERTH_CONVERT',
    ...run,
    '',
  ].join('\n');
}

function onWindows(parameters: readonly Parameter[]): string {
  const value = (name: string) =>
    named(parameters, name).length === 0
      ? "''"
      : `(${named(parameters, name)
          .map((one) => `$${one}`)
          .join(' + ')})`;
  return [
    `param(${parameters.map(({ name }) => `[string]$${name}`).join(', ')})`,
    "$ErrorActionPreference = 'Stop'",
    "$ProgressPreference = 'SilentlyContinue'",
    'function Text([string]$value) { [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($value)) }',
    "$folder = Join-Path $env:SystemDrive 'Packages\\Plugins\\Microsoft.Compute.CustomScriptExtension\\Berth\\Downloads'",
    '$number = 0',
    'while (Test-Path (Join-Path $folder $number)) { $number++ }',
    'Set-Location (New-Item -ItemType Directory -Force (Join-Path $folder $number))',
    `$files = Text ${value('BERTH_FILES')} | ConvertFrom-Json`,
    fetchOnWindows.trimEnd(),
    `$command = Text ${value('BERTH_COMMAND')}`,
    '& $env:ComSpec /c $command',
    'exit $LASTEXITCODE',
    '',
  ].join('\n');
}
