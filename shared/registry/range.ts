/** Bytes `from` to `to`, both inclusive. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/**
 * One range of a Range header: RFC 9110, section 14. Several ranges, other units and malformed ones mean: all of it.
 * @returns undefined for all of it
 */
export function parseRange(header: string | null, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(?<from>\d*)-(?<to>\d*)$/.exec(header?.trim() ?? '');
  const first = match?.groups?.from ?? '';
  const last = match?.groups?.to ?? '';
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const count = Math.min(Number(last), size);
    return count === 0 ? 'unsatisfiable' : { from: size - count, to: size - 1 };
  }
  if (last !== '' && Number(last) < Number(first)) return undefined;
  if (Number(first) >= size) return 'unsatisfiable';
  return { from: Number(first), to: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

/**
 * Content-Range of a chunk: `<start>-<end>` as OCI Distribution has it, and with `bytes` before or the total behind, as
 * some clients write it.
 * @returns undefined if there is none, null if it is malformed or ends before it begins
 */
export function parseContentRange(header: string | null): ByteRange | null | undefined {
  if (header === null) return undefined;
  const match = /^(?:bytes[ =])?(?<from>\d+)-(?<to>\d+)(?:\/(?:\d+|\*))?$/.exec(header.trim());
  if (match?.groups === undefined) return null;
  const range = { from: Number(match.groups.from), to: Number(match.groups.to) };
  return range.to < range.from ? null : range;
}

/** Range header of an upload: docker expects no unit, and `0-0` for nothing yet. */
export const uploadRange = (offset: number): string => `0-${Math.max(0, offset - 1)}`;
