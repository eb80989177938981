/**
 * Whether a certificate's identity is of a pattern: `*` stands for any characters but `/`, `**` for any at all, everything
 * else for itself. Time grows with the product of both lengths at most, whatever they are: anybody can have a certificate.
 */
export function matchesIdentity(pattern: string, identity: string): boolean {
  const parts = pattern
    .split(/(\*\*|\*)/)
    .flatMap((part) => (part.startsWith('*') ? [part] : part.split('')));
  /** `reached[i]`: the parts so far stand for the first `i` characters. */
  let reached = [true, ...Array<boolean>(identity.length).fill(false)];
  for (const part of parts) {
    const next = Array<boolean>(identity.length + 1).fill(false);
    for (let i = 0; i <= identity.length; i += 1) {
      const before = i > 0 ? identity[i - 1] : undefined;
      if (part === '**') next[i] = reached[i] === true || (i > 0 && next[i - 1] === true);
      else if (part === '*')
        next[i] = reached[i] === true || (i > 0 && next[i - 1] === true && before !== '/');
      else next[i] = i > 0 && reached[i - 1] === true && before === part;
    }
    reached = next;
  }
  return reached[identity.length] === true;
}
