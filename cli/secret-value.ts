import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { readNamedFile } from './named-file.ts';

export interface SecretSource {
  readonly file?: string;
  readonly value?: string;
}

/**
 * The value of a secret: from a file or standard input byte by byte, typed without being shown, or from the command line,
 * which is warned of. A line feed at the end of what was piped in is the writer's (`echo`), and goes.
 * @throws Failure `secret-empty`, `file-unreadable`
 */
export async function secretValue(
  { file, value }: SecretSource,
  say: (words: string) => void,
): Promise<Buffer> {
  const bytes = await read({ file, value }, say);
  if (bytes.length > 0) return bytes;
  throw new Failure({
    code: 'secret-empty',
    message: 'The value is empty, so nothing was changed.',
    remedy: 'Pipe it in, type it, or name a file: berth secrets set NAME --file FILE',
    exitCode: exitCodes.usage,
  });
}

async function read(
  { file, value }: { file: string | undefined; value: string | undefined },
  say: (words: string) => void,
): Promise<Buffer> {
  if (file !== undefined && value !== undefined)
    throw new Failure({
      code: 'options-conflict',
      message: '--file and --value cannot both say the value.',
      remedy: 'Leave one of them out.',
      exitCode: exitCodes.usage,
    });
  if (value !== undefined) {
    say(
      'Warning: a value on the command line is seen by others on this computer and kept by the shell’s history.',
    );
    return Buffer.from(value);
  }
  if (file !== undefined) return readNamedFile(file);
  if (process.stdin.isTTY === true) return Buffer.from(await typed());
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const all = Buffer.concat(chunks);
  return all.at(-1) === 10 ? all.subarray(0, all.at(-2) === 13 ? -2 : -1) : all;
}

async function typed(): Promise<string> {
  process.stderr.write('Value (not shown): ');
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await lines.question('');
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
