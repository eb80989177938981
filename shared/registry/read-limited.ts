import { RegistryError } from './errors.ts';

/**
 * A small body, whole.
 * @throws RegistryError SIZE_INVALID (413) as soon as it is larger than `limit` bytes
 */
export async function readLimited(request: Request, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  if (request.body !== null)
    for await (const part of request.body) {
      size += part.length;
      if (size > limit)
        throw new RegistryError('SIZE_INVALID', `the body is larger than ${limit} bytes`, { status: 413 });
      parts.push(part);
    }
  return Buffer.concat(parts);
}
