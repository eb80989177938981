import { getConsole } from '../../shared/api/routes/by-hand.ts';
import type { Session } from '../session.ts';

/** What a machine's serial console said. @throws Failure */
export async function readConsole({ client }: Session, machine: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of await client.open(getConsole, { params: { machine } }))
    chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** For a terminal: without control sequences (ECMA-48) and what else would move its cursor. */
export const legible = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences are what is looked for
    .replace(/\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])/g, '')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '');
