import type { Piece } from './access.ts';

const HEADER = 8;

/**
 * The bytes of each stream of a command without a terminal: frames of stream (1 byte), three zeros, length (4 bytes,
 * big-endian). A frame is given as its bytes come.
 * https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerAttach, "Stream format"
 */
export async function* pieces(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  const head = new Uint8Array(HEADER);
  let filled = 0;
  let left = 0;
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; ) {
      if (left > 0) {
        const bytes = chunk.subarray(at, at + left);
        at += bytes.length;
        left -= bytes.length;
        yield { stream: head[0] === 2 ? 'stderr' : 'stdout', bytes };
        continue;
      }
      const more = chunk.subarray(at, at + HEADER - filled);
      head.set(more, filled);
      filled += more.length;
      at += more.length;
      if (filled < HEADER) break;
      filled = 0;
      left = new DataView(head.buffer).getUint32(4);
    }
  }
}
