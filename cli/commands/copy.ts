import { lstat } from 'node:fs/promises';
import { basename, dirname, join, posix, resolve } from 'node:path';
import type { Command } from 'commander';
import { getArchive, MOST_ARCHIVE, putArchive, statFile } from '../../shared/api/routes/files.ts';
import { archives, localFiles, packed } from '../copy/pack.ts';
import { endsOf } from '../copy/place.ts';
import { unpack } from '../copy/unpack.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { bytesText, harmless } from '../output.ts';
import { serviceNamed } from '../service-name.ts';
import { type Session, withSession } from '../session.ts';

/** Bytes of one archive, of many small files: what breaks off is begun again from its own beginning. */
const BATCH = 64 * 1024 * 1024;

export const addCopy = (program: Command): Command =>
  program
    .command('cp')
    .description('copies files and folders to a container and from one')
    .argument('<from>', 'a path here, or SERVICE:/path in the container of a replica')
    .argument('<to>', 'the other')
    .action((from: string, to: string, _options, command: Command) =>
      withSession(command, async (session) => {
        const ends = endsOf(from, to);
        if (ends.way === 'out') await copyOut(session, ends.from.service, ends.from.path, ends.to);
        else await copyIn(session, ends.from, ends.to.service, ends.to.path);
      }),
    );

async function copyOut(session: Session, name: string, path: string, to: string): Promise<void> {
  const { client, output, interrupted } = session;
  const { params, replica: wanted } = await serviceNamed(session, name);
  const found = await client.call(statFile, { params, query: { path, replica: wanted } });
  const { replica } = found;
  const target = await targetHere(to, found.name, found.isFolder);
  const stream = await client.open(getArchive, { params, query: { path, replica } }, interrupted);
  const { files, size, left } = await unpack(stream, target);
  for (const one of left) output.say(`left out: ${harmless(one)}`);
  output.data(
    { files, size, left, to: target, replica },
    () => `${files} ${files === 1 ? 'file' : 'files'}, ${bytesText(size)}, to ${target}`,
  );
}

/** As cp(1): into a folder that is there, otherwise under the name that is given. @throws Failure */
async function targetHere(to: string, name: string, isFolder: boolean): Promise<string> {
  const there = await lstat(to).catch(() => undefined);
  if (there?.isDirectory() === true) return join(resolve(to), name);
  if (there !== undefined && isFolder) throw notAFolder(to);
  if (there === undefined && to.endsWith('/') && !isFolder) throw notAFolder(to);
  const parent = await lstat(dirname(resolve(to))).catch(() => undefined);
  if (parent?.isDirectory() !== true) throw notAFolder(dirname(resolve(to)));
  return resolve(to);
}

async function copyIn(session: Session, from: string, name: string, path: string): Promise<void> {
  const { client, output } = session;
  const stats = await lstat(from).catch(() => undefined);
  if (stats === undefined)
    throw new Failure({
      code: 'file-not-found',
      message: `There is no ${from} here.`,
      exitCode: exitCodes.usage,
    });
  const { params, replica: wanted } = await serviceNamed(session, name);
  const look = async (at: string) =>
    await client.call(statFile, { params, query: { path: at, replica: wanted } }).catch((error: unknown) => {
      if (error instanceof Failure && error.code === 'path-not-found') return undefined;
      throw error;
    });
  const there = await look(path);
  const [folder, own] =
    there?.isFolder === true ? [path, basename(resolve(from))] : [posix.dirname(path), posix.basename(path)];
  if (there !== undefined && !there.isFolder && stats.isDirectory()) throw notAFolder(path);
  if (there === undefined && path.endsWith('/') && !stats.isDirectory()) throw notAFolder(path);
  const replica = there?.replica ?? (await look(folder))?.replica;
  if (replica === undefined) throw notAFolder(folder);
  let files = 0;
  let size = 0;
  for await (const batch of archives(localFiles(from, own), { batch: BATCH, most: MOST_ARCHIVE })) {
    await client.call(putArchive, {
      params,
      query: { path: folder, replica },
      stream: { type: 'application/x-tar', body: packed(batch) },
    });
    for (const one of batch) {
      files += one.stats.isDirectory() ? 0 : 1;
      size += one.stats.isFile() ? one.stats.size : 0;
    }
  }
  output.data(
    { files, size, to: posix.join(folder, own), replica },
    () =>
      `${files} ${files === 1 ? 'file' : 'files'}, ${bytesText(size)}, to ${posix.join(folder, own)} in ${replica}`,
  );
}

const notAFolder = (path: string): Failure =>
  new Failure({
    code: 'folder-not-found',
    message: `${path} is no folder.`,
    remedy: 'Make it first.',
    exitCode: exitCodes.usage,
  });
