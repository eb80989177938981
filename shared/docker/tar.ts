/** A file of an archive; the mode is octal, 0o644 if absent. */
export interface TarFile {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode?: number;
  /** Absent: 0. */
  readonly uid?: number;
  readonly gid?: number;
}

const BLOCK = 512;

/**
 * An archive of files and the links that are named, as the engine unpacks it. Paths of at most 100 bytes.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, "ustar Interchange Format"
 */
export function tar(
  files: readonly TarFile[],
  links: readonly { readonly path: string; readonly to: string }[] = [],
): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { path, content, mode = 0o644, uid = 0, gid = 0 } of files) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    parts.push(header(path, bytes.length, mode, path.endsWith('/') ? '5' : '0', '', uid, gid), padded(bytes));
  }
  for (const { path, to } of links) parts.push(header(path, 0, 0o777, '2', to));
  parts.push(new Uint8Array(BLOCK * 2));
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function header(
  path: string,
  size: number,
  mode: number,
  type: string,
  link: string,
  uid = 0,
  gid = 0,
): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (text: string, at: number, length: number): void => {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > length)
      throw new RangeError(`${text} is too long for an archive: at most ${length} bytes`);
    block.set(bytes, at);
  };
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  put(path, 0, 100);
  put(octal(mode, 7), 100, 8);
  put(octal(uid, 7), 108, 8);
  put(octal(gid, 7), 116, 8);
  put(octal(size, 11), 124, 12);
  put(octal(0, 11), 136, 12);
  put(' '.repeat(8), 148, 8);
  put(type, 156, 1);
  put(link, 157, 100);
  put('ustar\x0000', 257, 8);
  put(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
    148,
    8,
  );
  return block;
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / BLOCK) * BLOCK);
  whole.set(bytes);
  return whole;
}
