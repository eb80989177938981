import { z } from 'zod';
import { faults } from './faults.ts';

/** One JSON message of POST /images/create; the status line was 200 whatever becomes of the pull. */
const Progress = z.object({
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string().optional() }).optional(),
});

/** The error in a pull's progress, if there is one; messages may be cut anywhere between chunks. */
export async function pullError(stream: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  let error: string | undefined;
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) error ??= errorOf(line);
  }
  return error ?? errorOf(rest);
}

function errorOf(line: string): string | undefined {
  if (line.trim() === '') return undefined;
  const { error, errorDetail } = Progress.parse(JSON.parse(line));
  return errorDetail?.message ?? error;
}

/** The engine passes its registry's errors on as text only. */
export function pullFault(image: string, detail: string): Error {
  if (/denied|unauthorized|authentication required|no basic auth|forbidden/i.test(detail))
    return faults.registryRefused(image, detail);
  if (/no matching manifest|does not match the specified platform|unsupported media type/i.test(detail))
    return faults.imageUnusable(image, detail);
  if (/manifest unknown|name unknown|not found/i.test(detail)) return faults.imageNotFound(image, detail);
  return faults.registryUnreachable(image, detail);
}
