import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

/** Undefined if there is none. @throws Failure `file-unreadable` */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new Failure({
      code: 'file-unreadable',
      message: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'Run the command as the user to whom it belongs.',
      exitCode: exitCodes.unauthorised,
    });
  }
}

/**
 * Writes a file whole or not at all. Docker leaves files alone whose names begin with a dot.
 * @param mode of the file; its folder, where it is made, is for its owner alone
 * @throws Failure `file-unwritable`
 */
export const writeWhole = (file: string, text: string, mode = 0o600, folderMode = 0o700): void =>
  place(file, text, mode, folderMode, (temporary) => renameSync(temporary, file));

/** The same where there is none yet. @returns whether it was written @throws Failure `file-unwritable` */
export function writeIfAbsent(file: string, text: string): boolean {
  let wasAbsent = true;
  place(file, text, 0o600, 0o700, (temporary) => {
    try {
      linkSync(temporary, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      wasAbsent = false;
    }
    rmSync(temporary, { force: true });
  });
  return wasAbsent;
}

function place(
  file: string,
  text: string,
  mode: number,
  folderMode: number,
  put: (temporary: string) => void,
): void {
  const temporary = join(dirname(file), `.${basename(file)}.berth-${process.pid}`);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: folderMode });
    writeFileSync(temporary, text, { mode });
    put(temporary);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new Failure({
      code: 'file-unwritable',
      message: `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      remedy:
        'See that its folder belongs to you and that the disk has room, or set XDG_DATA_HOME or DOCKER_CONFIG.',
      exitCode: exitCodes.failed,
    });
  }
}
