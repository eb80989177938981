import type { Access } from './access.ts';

/** What a token said when its signature was checked. */
export interface Remembered {
  readonly id: string;
  readonly access: readonly Access[];
  /** Thumbprint of the key that signed it. */
  readonly kid: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

/** Longer tokens are checked each time, so that what is remembered stays within some MB. */
const LONGEST = 4096;

/**
 * Tokens whose signature was checked: a client sends the same one with every request, and to check it takes longer than most
 * of what it asks for. Whoever reads from here still asks whether the token has expired and its key is still there.
 * @param most tokens that are remembered: those that came first go first
 */
export function rememberedTokens(most = 1_000): {
  get(token: string): Remembered | undefined;
  add(token: string, said: Remembered): void;
} {
  const known = new Map<string, Remembered>();
  return {
    get: (token) => known.get(token),
    add(token, said) {
      if (token.length > LONGEST) return;
      known.set(token, said);
      const [first] = known.keys();
      if (known.size > most && first !== undefined) known.delete(first);
    },
  };
}
