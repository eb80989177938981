/**
 * A lock token is a GUID. As a delivery tag it has .NET's byte order, in `$management` AMQP's: the first three groups
 * are reversed.
 */
export function tagOfToken(token: string): Buffer {
  return reordered(tokenBytes(token));
}

export const tokenOfTag = (tag: Buffer | string): string =>
  tokenOfBytes(reordered(typeof tag === 'string' ? Buffer.from(tag) : tag));

/** In AMQP's order. */
export const tokenBytes = (token: string): Buffer => Buffer.from(token.replaceAll('-', ''), 'hex');

export const tokenOfBytes = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

function reordered(bytes: Buffer): Buffer {
  if (bytes.length !== 16) return bytes;
  return Buffer.concat([
    Buffer.from(bytes.subarray(0, 4)).reverse(),
    Buffer.from(bytes.subarray(4, 6)).reverse(),
    Buffer.from(bytes.subarray(6, 8)).reverse(),
    bytes.subarray(8),
  ]);
}
