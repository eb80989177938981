import { type FileHandle, open } from 'node:fs/promises';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { type Region, readFrom } from './region.ts';

const BLOCK = 512;
/** A name or an attribute has some hundred bytes; more is no tar that an engine wrote. */
const LONGEST_EXTENSION = 1024 * 1024;

/**
 * Where the files of a tar lie in it: POSIX ustar with GNU's and pax's long names and sizes.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 * @throws Failure `archive-invalid`
 */
export async function tarIndex(file: string): Promise<ReadonlyMap<string, Region>> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    return await indexOf(handle, file, size);
  } finally {
    await handle.close();
  }
}

async function indexOf(handle: FileHandle, file: string, end: number): Promise<ReadonlyMap<string, Region>> {
  const found = new Map<string, Region>();
  const links = new Map<string, string>();
  let longName: string | undefined;
  let pax: ReadonlyMap<string, string> = new Map();
  for (let at = 0; at + BLOCK <= end; ) {
    const header = await readFrom(handle, { file, offset: at, size: BLOCK });
    if (header.every((byte) => byte === 0)) break;
    if (!hasChecksum(header)) throw invalid(file, `there is no header at byte ${at}`);
    const size = Number(pax.get('size') ?? numberIn(header, 124, 12));
    const offset = at + BLOCK;
    if (!Number.isSafeInteger(size) || size < 0 || offset + size > end)
      throw invalid(file, `it ends in the middle of an entry, at byte ${end}`);
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === 'x' || type === 'L') {
      if (size > LONGEST_EXTENSION) throw invalid(file, `the header at byte ${offset - BLOCK} is too long`);
      const content = await readFrom(handle, { file, offset, size });
      if (type === 'L') longName = textIn(content, 0, size);
      else pax = attributesIn(content);
      continue;
    }
    const name = clean(longName ?? pax.get('path') ?? nameIn(header));
    if (type === '0' || type === '\0') found.set(name, { file, offset, size });
    // Engines wrote a layer once, and links to it for images that share it.
    if (type === '1' || type === '2')
      links.set(name, targetOf(name, type, pax.get('linkpath') ?? textIn(header, 157, 100)));
    longName = undefined;
    pax = new Map();
  }
  for (const [name, target] of links) {
    const region = found.get(target) ?? found.get(links.get(target) ?? '');
    if (region !== undefined) found.set(name, region);
  }
  return found;
}

function hasChecksum(header: Buffer): boolean {
  let sum = 0;
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 32 : byte;
  return sum === numberIn(header, 148, 8);
}

function textIn(bytes: Buffer, offset: number, length: number): string {
  const part = bytes.subarray(offset, offset + length);
  const end = part.indexOf(0);
  return part.subarray(0, end < 0 ? length : end).toString('utf8');
}

/** Octal digits, or a binary number if the first bit is set. */
function numberIn(bytes: Buffer, offset: number, length: number): number {
  if (((bytes[offset] ?? 0) & 0x80) === 0)
    return Number.parseInt(textIn(bytes, offset, length).trim() || '0', 8);
  let value = 0;
  for (const byte of bytes.subarray(offset + 1, offset + length)) value = value * 256 + byte;
  return value;
}

function nameIn(header: Buffer): string {
  const prefix = textIn(header, 257, 5) === 'ustar' ? textIn(header, 345, 155) : '';
  const name = textIn(header, 0, 100);
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** `<length> <name>=<value>\n`, length in bytes of all of it. */
function attributesIn(content: Buffer): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < content.length; ) {
    const length = Number.parseInt(content.subarray(at, at + 20).toString('latin1'), 10);
    if (!(length > 0)) break;
    const record = content.subarray(at, at + length).toString('utf8');
    const space = record.indexOf(' ');
    const equals = record.indexOf('=');
    found.set(record.slice(space + 1, equals), record.slice(equals + 1, -1));
    at += length;
  }
  return found;
}

const clean = (name: string): string => name.replace(/^(\.?\/)+/, '').replace(/\/+$/, '');

/** Of a hard link from the top, of a symbolic one from the link's folder. */
function targetOf(name: string, type: string, target: string): string {
  const parts = type === '2' && !target.startsWith('/') ? name.split('/').slice(0, -1) : [];
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

const invalid = (file: string, reason: string): Failure =>
  new Failure({
    code: 'archive-invalid',
    message: `${file} is no tar of an image: ${reason}.`,
    remedy: 'Expected what docker save or podman save writes, or a tar or a folder of an OCI image layout.',
    exitCode: exitCodes.usage,
  });
