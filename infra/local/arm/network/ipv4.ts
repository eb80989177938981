/** IPv4 addresses and CIDR blocks as numbers. Pure. */
export interface Block {
  /** First address. */
  readonly first: number;
  /** Last address, included. */
  readonly last: number;
  readonly prefix: number;
}

export function parseAddress(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((value, part) => value * 256 + part, 0);
}

export const formatAddress = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

/** `undefined` if malformed, or if bits are set beyond the prefix: Azure refuses those too. */
export function parseBlock(text: string): Block | undefined {
  const [address = '', length = '32', ...rest] = text.split('/');
  const first = parseAddress(address);
  const prefix = /^\d{1,2}$/.test(length) ? Number(length) : 33;
  if (first === undefined || prefix > 32 || rest.length > 0) return undefined;
  const size = 2 ** (32 - prefix);
  return first % size === 0 ? { first, last: first + size - 1, prefix } : undefined;
}

export const formatBlock = (block: Block): string => `${formatAddress(block.first)}/${block.prefix}`;

export const contains = (outer: Block, inner: Block): boolean =>
  outer.first <= inner.first && inner.last <= outer.last;

export const overlap = (a: Block, b: Block): boolean => a.first <= b.last && b.first <= a.last;

/** Blocks that together are everything but the given ones. */
export function complement(blocks: readonly Block[]): readonly Block[] {
  const split = (block: Block): readonly Block[] => {
    if (blocks.some((other) => contains(other, block))) return [];
    if (!blocks.some((other) => overlap(other, block))) return [block];
    const prefix = block.prefix + 1;
    const half = 2 ** (32 - prefix);
    return [
      ...split({ first: block.first, last: block.first + half - 1, prefix }),
      ...split({ first: block.first + half, last: block.last, prefix }),
    ];
  };
  return split({ first: 0, last: 2 ** 32 - 1, prefix: 0 });
}

/** Azure keeps a subnet's first four addresses and its last. */
export const usable = (block: Block): { readonly first: number; readonly last: number } => ({
  first: block.first + 4,
  last: block.last - 1,
});
