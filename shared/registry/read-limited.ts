import { RegistryError } from './errors.ts';

/**
 * A small body, whole.
 * @throws RegistryError SIZE_INVALID: 413 as soon as it is larger than `limit` bytes, 400 if it breaks off
 */
export async function readLimited(request: Request, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new RegistryError('SIZE_INVALID', 'the body ended before it was complete', { cause });
    });
    if (done) break;
    size += value.length;
    if (size > limit) {
      await reader.cancel();
      throw new RegistryError('SIZE_INVALID', `the body is larger than ${limit} bytes`, { status: 413 });
    }
    parts.push(value);
  }
  return Buffer.concat(parts);
}
