import type { IncomingMessage } from 'node:http';
import { ArmError } from './arm-error.ts';

/** ARM takes at most 4 MiB. */
const LIMIT = 4 * 1024 * 1024;

/** The JSON body of a request, `undefined` if it has none. @throws ArmError 400, 413 */
export async function readJson(message: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of message as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > LIMIT)
      throw new ArmError(
        413,
        'RequestContentTooLarge',
        `The request content is larger than ${LIMIT} bytes.`,
        {
          Connection: 'close',
        },
      );
    parts.push(part);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ArmError(
      400,
      'InvalidRequestContent',
      `The request content was invalid and could not be deserialized: '${reason}'.`,
    );
  }
}
