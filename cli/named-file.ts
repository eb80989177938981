import { readFileSync } from 'node:fs';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';

/** The bytes of a file that the user named. @throws Failure `file-unreadable` */
export const readNamedFile = (file: string, remedy?: string): Buffer => read(file, file, remedy);

/** Its text; `-` is standard input. @throws Failure `file-unreadable` */
export const readNamedText = (file: string, remedy?: string): string =>
  read(file, file === '-' ? 0 : file, remedy).toString('utf8');

function read(file: string, place: string | number, remedy: string | undefined): Buffer {
  try {
    return readFileSync(place);
  } catch (error) {
    throw new Failure({
      code: 'file-unreadable',
      message: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      ...(remedy !== undefined && { remedy }),
      exitCode: exitCodes.usage,
    });
  }
}
