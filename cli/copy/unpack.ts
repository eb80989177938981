import { createWriteStream } from 'node:fs';
import { chmod, link, lstat, mkdir, realpath, symlink, unlink } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

export interface Unpacked {
  readonly files: number;
  /** Bytes. */
  readonly size: number;
  /** What was left out, and why. */
  readonly left: readonly string[];
}

interface Later {
  readonly path: string;
  readonly target: string;
  readonly kind: 'link' | 'symlink';
}

/**
 * Writes an archive's files. Its first name is replaced by `to`: what it holds comes there and nowhere else, whatever names and
 * links it has. Links are made after all files, so that nothing is written through them; owners, and bits beyond 0777, are
 * not taken over.
 * @throws Failure `archive-unsafe`, `copy-incomplete`
 */
export async function unpack(archive: Readable, to: string): Promise<Unpacked> {
  const root = resolve(to);
  const later: Later[] = [];
  const left: string[] = [];
  const modes = new Map<string, number>();
  let files = 0;
  let size = 0;
  let first: string | undefined;
  const entries = extract();
  const reading = pipeline(archive, entries);
  reading.catch(() => undefined);
  try {
    for await (const entry of entries) {
      const { header } = entry;
      first ??= header.name.split('/')[0] ?? '';
      const path = placeIn(root, first, header.name);
      if (header.type === 'file' || header.type === 'contiguous-file') {
        await within(root, dirname(path));
        await unlink(path).catch(ifMissing);
        // An archive that broke off meanwhile: nobody would hear of its end any more.
        if ((entry as { destroyed?: boolean }).destroyed === true) throw new Error('it ends too early');
        await pipeline(entry, createWriteStream(path, { flags: 'wx', mode: modeOf(header, 0o644) }));
        files += 1;
        size += header.size ?? 0;
        continue;
      }
      entry.resume();
      if (header.type === 'directory') {
        await within(root, path);
        modes.set(path, modeOf(header, 0o755) | 0o700);
      } else if (header.type === 'symlink' || header.type === 'link')
        later.push({ path, target: header.linkname ?? '', kind: header.type });
      else left.push(`${header.name}: a ${header.type}`);
    }
    await reading;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw incomplete(error);
  }
  if (first === undefined) throw incomplete(new Error('the archive is empty'));
  for (const one of later) {
    const reason = await makeLink(root, first, one);
    if (reason === undefined) files += 1;
    else left.push(`${relative(root, one.path) || one.path}: ${reason}`);
  }
  for (const [path, mode] of modes) await chmod(path, mode);
  return { files, size, left };
}

/** Where an entry comes. @throws Failure for a name that leads out */
function placeIn(root: string, first: string, name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  const isNamed = first !== '.' && first !== '';
  if (name.startsWith('/') || parts.includes('..') || (isNamed && parts[0] !== first)) throw unsafe(name);
  return join(root, ...parts.slice(isNamed ? 1 : 0));
}

/** Makes a folder, and sees that no link leads out of the root on the way to it. */
async function within(root: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (folder.length < root.length) return;
  const [real, top] = await Promise.all([realpath(folder), realpath(root)]);
  if (real !== top && !real.startsWith(top.endsWith(sep) ? top : top + sep)) throw unsafe(folder);
}

/** @returns why it is left out */
async function makeLink(
  root: string,
  first: string,
  { path, target, kind }: Later,
): Promise<string | undefined> {
  const from = kind === 'symlink' ? dirname(path) : root;
  const aim =
    kind === 'symlink' ? resolve(from, target) : join(root, ...target.split('/').filter(Boolean).slice(1));
  const leadsOut =
    target.startsWith('/') ||
    (aim !== root && !aim.startsWith(root + sep)) ||
    (kind === 'link' && (target.split('/').includes('..') || target.split('/')[0] !== first));
  if (leadsOut) return `a link that leads out, to ${target}`;
  await within(root, dirname(path));
  const before = await lstat(path).catch(ifMissing);
  if (before?.isDirectory() === true) return 'a folder is there';
  if (before !== undefined) await unlink(path);
  if (kind === 'symlink') await symlink(target, path);
  else {
    await within(root, dirname(aim));
    await link(aim, path);
  }
  return undefined;
}

const modeOf = ({ mode }: Header, usual: number): number => (mode ?? usual) & 0o777;

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

const unsafe = (name: string): Failure =>
  new Failure({
    code: 'archive-unsafe',
    message: `The archive has a name that leads out of the folder that it is for: ${name}`,
    remedy: 'Nothing more was written. Look what is in the container before you copy from it.',
    exitCode: exitCodes.failed,
  });

const incomplete = (cause: unknown): Failure =>
  new Failure({
    code: 'copy-incomplete',
    message: `The copy broke off: ${cause instanceof Error ? cause.message : String(cause)}`,
    remedy: 'Copy again; of something large, its parts one after the other.',
    exitCode: exitCodes.failed,
  });
