import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';

/**
 * A password that is neither in the arguments nor on the screen: from standard input, or asked for on a terminal.
 * @throws Failure `password-missing`
 */
export async function readPassword(username: string, fromStdin: boolean): Promise<string> {
  const text = fromStdin
    ? readFileSync(0, 'utf8').replace(/\r?\n$/, '')
    : await ask(`Password of ${username}: `);
  if (text !== '') return text;
  throw new Failure({
    code: 'password-missing',
    message: `No password for ${username} came.`,
    remedy: 'Type it, or pipe it in: --password-stdin < file',
    exitCode: exitCodes.usage,
  });
}

async function ask(question: string): Promise<string> {
  if (process.stdin.isTTY !== true) return '';
  process.stderr.write(question);
  const silent = new Writable({ write: (_part, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await lines.question('');
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
