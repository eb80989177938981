import { parseDocument } from 'yaml';
import { Invalid } from '../../model/invalid.ts';

/** Azure: osProfile.customData holds at most 65,535 bytes before base64. */
export const MOST_CUSTOM_DATA = 65_535;

/** How cloud-init knows what it was given: https://cloudinit.readthedocs.io/en/latest/explanation/format.html */
const TYPES = [
  ['#cloud-config', 'text/cloud-config'],
  ['#!', 'text/x-shellscript'],
  ['#cloud-boothook', 'text/cloud-boothook'],
  ['#include', 'text/x-include-url'],
] as const;

/**
 * Lists of the user are put behind ours, and what only one says stays: by its own rules cloud-init would replace our
 * packages, files and commands by the user's. https://cloudinit.readthedocs.io/en/latest/reference/merging.html
 */
const MERGED = 'list(append)+dict(no_replace,recurse_list)+str()';

/** What is wrong with cloud-init data of a user; undefined if nothing is. Pure. */
export function customDataFault(text: string): string | undefined {
  const type = typeOf(text);
  if (type === undefined)
    return `expected cloud-init data that begins with ${TYPES.map(([mark]) => mark).join(', ')}; found "${text.slice(0, 20).split('\n')[0]}"`;
  if (type !== 'text/cloud-config') return undefined;
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) return `expected YAML behind #cloud-config: ${error.message.split('\n')[0]}`;
  const value: unknown = document.toJS();
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value))
    return 'expected keys and values behind #cloud-config';
  const merging = ['merge_how', 'merge_type'].find((key) => key in value);
  return merging === undefined
    ? undefined
    : `${merging} cannot be given: the data is merged behind Berth's own, lists at their end`;
}

/**
 * Ours and the user's cloud-init data as one, in the form that takes several parts. Pure.
 * @throws Invalid `custom-data-invalid`
 */
export function withUserData(ours: string, users: string | undefined): string {
  if (users === undefined) return ours;
  const fault = customDataFault(users);
  const type = typeOf(users);
  if (fault !== undefined || type === undefined) throw invalid(fault ?? 'its kind is not known');
  const boundary = boundaryOf(`${ours}${users}`);
  const text = [
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    'MIME-Version: 1.0',
    '',
    ...part(boundary, ours, ['Content-Type: text/cloud-config; charset="utf-8"']),
    ...part(boundary, users, [
      `Content-Type: ${type}; charset="utf-8"`,
      ...(type === 'text/cloud-config' ? [`Merge-Type: ${MERGED}`] : []),
      // Scripts run in the order of their names: behind `runcmd`, with which the engine is started.
      'Content-Disposition: attachment; filename="user-data"',
    ]),
    `--${boundary}--`,
    '',
  ].join('\n');
  const size = new TextEncoder().encode(text).length;
  if (size <= MOST_CUSTOM_DATA) return text;
  throw invalid(
    `it makes ${size} bytes with Berth's own, and Azure takes at most ${MOST_CUSTOM_DATA}: fetch what is large with #include, or from a script`,
  );
}

const typeOf = (text: string): string | undefined => TYPES.find(([mark]) => text.startsWith(mark))?.[1];

/** RFC 2046, 5.1. A text with other characters than ASCII is sent in base64, which every parser of mail reads. */
function part(boundary: string, text: string, headers: readonly string[]): readonly string[] {
  const bytes = new TextEncoder().encode(text);
  const isPlain = bytes.every((byte) => byte < 128);
  const body = isPlain ? text : base64(bytes);
  return [`--${boundary}`, ...headers, `Content-Transfer-Encoding: ${isPlain ? '7bit' : 'base64'}`, '', body];
}

const base64 = (bytes: Uint8Array): string =>
  (btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')).match(/.{1,76}/g) ?? []).join('\n');

/** One that no line of the texts is. */
function boundaryOf(texts: string): string {
  for (let number = 1; ; number += 1)
    if (!texts.includes(`berth-part-${number}`)) return `berth-part-${number}`;
}

const invalid = (message: string): Invalid =>
  new Invalid({
    code: 'custom-data-invalid',
    message: `The machine's custom data cannot be used: ${message}.`,
    remedy: 'Mend it; cloud-init schema --config-file checks #cloud-config.',
    issues: [{ path: 'customData', message }],
  });
